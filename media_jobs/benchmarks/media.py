"""`bench media`: a photo's recipe against Pillow's, a film against bare ffmpeg, a pickup pass
against its first way, two workers against one, in one run."""

import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from media_jobs import ffmpeg, videos
from media_jobs.benchmarks.children import measured, measured_together
from media_jobs.benchmarks.originals import film, photo, tiny
from media_jobs.benchmarks.passes import LAYERS, measured_passes
from media_jobs.benchmarks.workers import pictures_a_minute
from media_jobs.filetypes import MP4
from media_jobs.models import MediaJob
from media_jobs.recipes import PRODUCT_VIDEO
from project.benchmarks import Report, scratch_database

ROUNDS = 3
"""The variants alternate, so that other load on the machine affects all. The fastest round of
each counts: the work is the same each time, and the differences are smaller than such load.
"""
VARIANTS = ("tandem", "pillow", "pillow, drafted")
_WORKERS = "tandem, workers: {}"
PHOTOS_EACH = 4
"""For the rate with one and two processes."""

TARGET_JPEG = 3.0
TARGET_RECIPE = 1.3
TARGET_MEMORY = 0.75
TARGET_OVERHEAD = 1.05
TARGET_PASS = 0.28
TARGET_WORKERS = 1.7


def bench_media() -> Report:
    """Measure photos, a film, passes and workers.

    Rows have the same columns, empty where they don't apply.
    """
    data = photo()
    rows = _photos(data)
    rows += [_row("pickup pass", way, **found) for way, found in measured_passes().items()]
    with TemporaryDirectory(prefix="tandem-bench-") as folder, scratch_database(pool_size=2):
        rows += _films(Path(folder))
        MediaJob.objects.all().delete()
        rows += [
            _row("photo, recipe", _WORKERS.format(count), seconds=60 / rate, a_minute=rate)
            for count, rate in pictures_a_minute(data).items()
        ]
    return judge(rows)


def _photos(data: bytes) -> list[dict[str, Any]]:
    small = tiny()
    cases = [(work, variant) for work in ("jpeg", "recipe") for variant in VARIANTS]
    cases += [(work, variant) for work in ("avif", "webp") for variant in VARIANTS[:2]]
    rounds: dict[tuple[str, str], list[dict[str, Any]]] = {case: [] for case in cases}
    for _round in range(ROUNDS):
        for work, variant in cases:
            rounds[work, variant].append(measured(variant, work, data, tiny=small))
    rows = [
        _row(
            f"photo, {work}",
            variant,
            seconds=min(report["seconds"] for report in reports),
            cpu=min(report["cpu"] for report in reports),
            megabytes=max(report["megabytes"] for report in reports),
            kilobytes=reports[0]["bytes"] / 1000,
        )
        for (work, variant), reports in rounds.items()
    ]
    for processes in (1, 2):
        reports = measured_together(
            "tandem", "recipe", data, tiny=small, processes=processes, times=PHOTOS_EACH
        )
        slowest = max(report["seconds"] for report in reports)
        rows.append(
            _row(
                "photo, recipe",
                f"tandem, processes: {processes}",
                seconds=slowest,
                cpu=max(report["cpu"] for report in reports),
                megabytes=max(report["megabytes"] for report in reports),
                a_minute=60 * processes / slowest,
            )
        )
    return rows


def _films(folder: Path) -> list[dict[str, Any]]:
    """Encode the film to MP4 and HLS, as a job does and by the same calls alone."""
    job = MediaJob.objects.claim(
        MediaJob.objects.create(kind="renditions", source="bench", recipe=PRODUCT_VIDEO.name).pk
    )
    assert job is not None
    original = film(folder)
    video = videos.look(original, MP4, folder=folder, progress=lambda _seconds: None)

    def progress(seconds: float) -> None:
        # As a job does twice a second.
        assert MediaJob.objects.set_progress(job, int(100 * min(1.0, seconds / video.seconds)))

    def as_a_job() -> None:
        list(videos.encode(video, PRODUCT_VIDEO, folder=folder, progress=progress))

    def alone() -> None:
        for arguments in (
            videos.encoding(video, PRODUCT_VIDEO, folder=folder),
            *(
                videos.streaming(spec)
                for spec, _size in videos.sizes_of(video, PRODUCT_VIDEO.videos)
            ),
        ):
            subprocess.run(
                [ffmpeg.binary(), "-v", "error", "-nostdin", "-y", *arguments],
                cwd=folder,
                check=True,
                timeout=video.time_limit,
            )

    rounds: dict[str, list[float]] = {"tandem": [], "bare ffmpeg": []}
    for _round in range(ROUNDS):
        for name, work in (("tandem", as_a_job), ("bare ffmpeg", alone)):
            started = time.perf_counter()
            work()
            rounds[name].append(time.perf_counter() - started)
    return [_row("film, MP4 and HLS", name, seconds=min(times)) for name, times in rounds.items()]


def _row(
    work: str,
    variant: str,
    *,
    seconds: float,
    cpu: float | None = None,
    megabytes: float | None = None,
    kilobytes: float | None = None,
    a_minute: float | None = None,
) -> dict[str, Any]:
    def cell(value: float | None, places: int) -> Any:
        return "" if value is None else round(value, places)

    return {
        "work": work,
        "variant": variant,
        "seconds": round(seconds, 4),
        "cpu": cell(cpu, 4),
        "peak_mb": cell(megabytes, 0),
        "output_kb": cell(kilobytes, 0),
        "a_minute": cell(a_minute, 1),
    }


def judge(rows: list[dict[str, Any]]) -> Report:
    """Return the report of a run's rows, with its ratios and the targets that it misses."""
    by_case = {(row["work"], row["variant"]): row for row in rows}

    def ratio(column: str, work: str, over: str, under: str) -> float:
        return round(float(by_case[work, over][column] / by_case[work, under][column]), 3)

    ratios = {
        "speed_jpeg": ratio("seconds", "photo, jpeg", "pillow", "tandem"),
        "speed_recipe": ratio("seconds", "photo, recipe", "pillow", "tandem"),
        "speed_jpeg_to_drafted": ratio("seconds", "photo, jpeg", "pillow, drafted", "tandem"),
        "speed_recipe_to_drafted": ratio("seconds", "photo, recipe", "pillow, drafted", "tandem"),
        "cpu_recipe": ratio("cpu", "photo, recipe", "pillow", "tandem"),
        "memory_recipe": ratio("peak_mb", "photo, recipe", "tandem", "pillow"),
        "rate_2_processes": ratio(
            "a_minute", "photo, recipe", "tandem, processes: 2", "tandem, processes: 1"
        ),
        "overhead_film": ratio("seconds", "film, MP4 and HLS", "tandem", "bare ffmpeg"),
        "cpu_pass": ratio("cpu", "pickup pass", "tandem", LAYERS),
        "rate_2_workers": ratio(
            "a_minute", "photo, recipe", _WORKERS.format(2), _WORKERS.format(1)
        ),
    }
    missed = [
        f"{name} is {ratios[name]}, wanted at least {target:g}"
        for name, target in (
            ("speed_jpeg", TARGET_JPEG),
            ("speed_recipe", TARGET_RECIPE),
            ("rate_2_workers", TARGET_WORKERS),
        )
        if ratios[name] < target
    ] + [
        f"{name} is {ratios[name]}, wanted at most {target:g}"
        for name, target in (
            ("memory_recipe", TARGET_MEMORY),
            ("overhead_film", TARGET_OVERHEAD),
            ("cpu_pass", TARGET_PASS),
        )
        if ratios[name] > target
    ]
    return Report(rows=rows, ratios=ratios, missed=missed)
