"""A shopper's file is decoded once before it can be ordered, and the reason against it is true."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from media_jobs import ffmpeg, videos
from media_jobs.models import MediaJob
from media_jobs.outbox import check_job
from media_jobs.processing import process as work
from media_jobs.tasks import process
from project.jobs.dispatch import ring
from project.jobs.errors import LostClaimError, PermanentError, TransientError
from project.jobs.queryset import Status
from tests.media_jobs import films
from tests.media_jobs.children import children, is_alive
from tests.media_jobs.claims import claimed
from tests.media_jobs.films import film
from tests.media_jobs.originals import camera_jpeg, photo, saved
from tests.media_jobs.stored import files_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]
NAME = "private/uploads/2026/01/31/file"


def queued(content: bytes, *, is_video: bool = False, language: str = "en") -> MediaJob:
    name = default_storage.save(NAME, ContentFile(content))
    job = check_job(token=uuid4(), file=name, is_video=is_video, name="ada.jpg", language=language)
    job.save()
    return job


def print_of(check: MediaJob) -> MediaJob:
    """Return the job of an order that took the checked film."""
    return MediaJob.objects.create(
        kind="print",
        source=f"{check.source}:print",
        recipe="print_video",
        context={"file": check.context["file"]},
    )


def refusal_of(job: MediaJob) -> str:
    process(str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.progress) == (Status.DONE, 100)
    assert job.result is not None
    return str(job.result["refusal"])


def test_a_good_picture_is_usable_and_nothing_is_made_of_it() -> None:
    assert refusal_of(queued(camera_jpeg(6))) == ""

    assert {name.rpartition("/")[0] for name in files_of("")} == {NAME.rpartition("/")[0]}


def test_a_good_film_is_usable(tmp_path: Path) -> None:
    content = film(tmp_path / "film.mp4", seconds=1, size="320x180").read_bytes()

    assert refusal_of(queued(content, is_video=True)) == ""


FILMS = {
    "H.264 in MP4": ("film.mp4", films.H264),
    "H.264 in Matroska": ("film.mkv", films.H264),
    "HEVC in MOV": ("film.mov", ("-c:v", "libx265", "-preset", "ultrafast", "-g", "10")),
    "VP9 in WebM": ("film.webm", ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-g", "10")),
    "MJPEG in MOV": ("film.mov", ("-c:v", "mjpeg", "-q:v", "6")),
}
SOUND = ("-f", "lavfi", "-i", "sine=duration=6")


@pytest.fixture(scope="session", params=FILMS)
def long_film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Six seconds with as much to see at each time, so that a share of its bytes is one of it."""
    name, codec = FILMS[request.param]
    path = tmp_path_factory.mktemp("long") / name
    noise = "testsrc2=size=320x180:rate=15:duration=6,noise=alls=12:allf=t"
    films.ffmpeg("-f", "lavfi", "-i", noise, *codec, path)
    return path.read_bytes()


def test_a_film_that_is_damaged_in_its_middle_is_refused_before_it_can_be_ordered(
    long_film: bytes,
) -> None:
    assert refusal_of(queued(long_film, is_video=True)) == ""

    damaged = films.damaged_in_the_middle(long_film)

    assert "The video is damaged or cut short." in refusal_of(queued(damaged, is_video=True))


def hole(tmp_path: Path, *, first: float = 0.4, last: float = 0.7) -> bytes:
    path = films.film(tmp_path / "film.mp4", seconds=6, size="320x180", sound=False)
    return films.damaged_in_the_middle(path.read_bytes(), first=first, last=last)


def test_control_a_check_that_decodes_two_pictures_lets_the_print_fail_after_the_payment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = queued(hole(tmp_path), is_video=True)
    monkeypatch.setattr("media_jobs.videos.try_all", lambda *_args, **_options: None)

    assert refusal_of(check) == ""
    with pytest.raises(PermanentError, match="damaged or cut short"):
        process(str(print_of(check).pk))


def test_a_film_of_which_players_show_nearly_all_passes_and_is_printed(tmp_path: Path) -> None:
    check = queued(hole(tmp_path, first=0.5, last=0.53), is_video=True)

    assert refusal_of(check) == ""
    assert process(str(print_of(check).pk))["renditions"]


def test_sound_that_is_damaged_in_its_middle_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "film.mov"
    still = ("-f", "lavfi", "-i", "color=size=64x64:rate=5:duration=6")
    films.ffmpeg(*still, *SOUND, *films.H264, "-c:a", "aac", path)
    damaged = films.damaged_in_the_middle(path.read_bytes(), first=0.2, last=0.6)

    assert "damaged or cut short" in refusal_of(queued(damaged, is_video=True))


def test_a_long_still_picture_in_a_whole_film_is_no_hole(tmp_path: Path) -> None:
    path = tmp_path / "screen.mkv"
    moving = "testsrc2=size=320x180:rate=10:duration=8"
    films.ffmpeg(
        *("-f", "lavfi", "-i", moving, "-vf", "select='lt(t,2)+gte(t,6)'", "-fps_mode", "vfr"),
        *(*films.H264, path),
    )

    assert refusal_of(queued(path.read_bytes(), is_video=True)) == ""


def test_a_film_may_take_longer_to_check_than_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    within: list[bool] = []
    is_timed = False

    @contextmanager
    def noted() -> Iterator[None]:
        nonlocal is_timed
        is_timed = True
        yield
        is_timed = False

    def run(*arguments: Any, **options: Any) -> Any:
        within.append(is_timed)
        return ffmpeg_run(*arguments, **options)

    ffmpeg_run = videos.run
    monkeypatch.setattr("media_jobs.checking.picture_time", noted)
    monkeypatch.setattr(videos, "run", run)

    refusal_of(queued(film(tmp_path / "film.mp4").read_bytes(), is_video=True))

    assert within == [False] * 3


def test_a_film_whose_decoding_takes_too_long_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*arguments: Any, seconds: float, **options: Any) -> Any:
        return ffmpeg_run(*arguments, seconds=seconds if seconds == 60 else 0, **options)

    ffmpeg_run = videos.run
    monkeypatch.setattr(videos, "run", run)
    monkeypatch.setattr(videos, "BASE_SECONDS", 200)

    reason = refusal_of(queued(film(tmp_path / "film.mp4").read_bytes(), is_video=True))

    assert "the video is too complex" in reason


def test_a_check_shows_how_far_it_is_and_ends_its_ffmpeg_when_it_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = claimed(queued(film(tmp_path / "film.mp4").read_bytes(), is_video=True).pk)
    alive: list[int] = []
    shown: list[int] = []
    set_progress = type(MediaJob.objects).set_progress

    def cancelled_meanwhile(manager: Any, held: MediaJob, percent: int) -> bool:
        shown.append(percent)
        if percent > 30:
            alive.extend(children())
            MediaJob.objects.filter(pk=held.pk).cancel()
        return set_progress(manager, held, percent)

    source = videos.source
    paced = ["-readrate", "1"]  # else all is decoded before anything is told
    monkeypatch.setattr(ffmpeg, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(
        videos, "source", lambda path, **options: [*paced, *source(path, **options)]
    )
    monkeypatch.setattr(type(MediaJob.objects), "set_progress", cancelled_meanwhile)

    with pytest.raises(LostClaimError):
        work(job)

    assert shown == sorted(shown)
    assert alive
    assert not any(is_alive(pid) for pid in alive)


def twelve_bits() -> bytes:
    data = bytearray(saved(photo(), "JPEG"))
    data[data.index(b"\xff\xc0") + 4] = 12
    return bytes(data)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (camera_jpeg(1)[:2000], "The picture is damaged or cut short."),
        (twelve_bits(), "a kind of JPEG that can't be read here"),
        (b"no picture at all", "This file can't be used. Choose a picture (JPEG, PNG, WebP"),
        (camera_jpeg(1) + bytes(25_000_000), "at most 25 MB can be used"),
    ],
    ids=["damaged", "a kind of JPEG", "no picture", "too large"],
)
def test_each_reason_is_a_sentence_of_its_own(content: bytes, reason: str) -> None:
    assert reason in refusal_of(queued(content))


def test_it_is_told_in_the_shoppers_language() -> None:
    data = camera_jpeg(1)

    assert "损坏" in refusal_of(queued(data[: len(data) // 2], language="zh-hans"))


def test_a_picture_that_the_printer_could_not_have_is_refused(settings: Any) -> None:
    settings.WORKER_MEMORY_MB = 40

    assert "1200 × 1200 pixels" in refusal_of(queued(saved(Image.new("RGB", (1200, 1200)), "PNG")))


@pytest.mark.parametrize(
    ("error", "reason"),
    [(MemoryError(), "needs more memory"), (SoftTimeLimitExceeded(), "too complex")],
)
def test_what_this_machine_cant_do_is_said_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, reason: str
) -> None:
    def fail(*_args: Any) -> None:
        raise error

    monkeypatch.setattr("media_jobs.checking.decoded", fail)

    assert reason in refusal_of(queued(saved(photo(), "PNG")))


def test_a_storage_that_is_away_is_no_verdict() -> None:
    job = queued(camera_jpeg(1))
    default_storage.delete(job.context["file"])

    with pytest.raises(TransientError):
        process(str(job.pk))

    job.refresh_from_db()
    assert (job.status, job.result) == (Status.QUEUED, None)


def test_a_check_is_rung_before_the_catalogues_pictures() -> None:
    for number in range(6):
        MediaJob.objects.create(kind="renditions", source=f"asset:{number}", recipe="product")
    check = queued(camera_jpeg(1))

    assert ring(MediaJob, limit=1) == [check.pk]
