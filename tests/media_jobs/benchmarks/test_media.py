"""`bench media`: how its rows are judged."""

from typing import Any

import pytest

from media_jobs.benchmarks.layers import layered_pass
from media_jobs.benchmarks.media import judge
from media_jobs.benchmarks.passes import LAYERS
from tests.media_jobs.passes import order


def row(work: str, variant: str, **values: float) -> dict[str, Any]:
    return {"work": work, "variant": variant, **values}


def rows(
    *, pass_cpu: float = 0.01, rate: float = 110.0, film: float = 1.0, jpeg: float = 0.2
) -> list[dict[str, Any]]:
    both = [
        found
        for work, ours in (("photo, jpeg", jpeg), ("photo, recipe", 1.0))
        for found in (
            row(work, "tandem", seconds=ours, cpu=1.0, peak_mb=150),
            row(work, "pillow", seconds=1.4, cpu=1.4, peak_mb=250),
            row(work, "pillow, drafted", seconds=1.1, cpu=1.1, peak_mb=200),
        )
    ]
    return [
        *both,
        row("photo, recipe", "tandem, processes: 1", a_minute=60.0),
        row("photo, recipe", "tandem, processes: 2", a_minute=118.0),
        row("photo, recipe", "tandem, workers: 1", a_minute=58.0),
        row("photo, recipe", "tandem, workers: 2", a_minute=rate),
        row("film, MP4 and HLS", "tandem", seconds=film),
        row("film, MP4 and HLS", "bare ffmpeg", seconds=1.0),
        row("pickup pass", "tandem", cpu=pass_cpu),
        row("pickup pass", LAYERS, cpu=0.2),
    ]


def test_a_run_that_reaches_all_targets_misses_none() -> None:
    report = judge(rows())

    assert report.missed == []
    assert report.ratios["cpu_pass"] == 0.05
    assert report.ratios["rate_2_workers"] == 1.897
    assert report.ratios["speed_jpeg"] == 7.0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pass_cpu": 0.06}, "cpu_pass is 0.3, wanted at most 0.28"),
        ({"rate": 90.0}, "rate_2_workers is 1.552, wanted at least 1.7"),
        ({"film": 1.1}, "overhead_film is 1.1, wanted at most 1.05"),
        ({"jpeg": 0.7}, "speed_jpeg is 2.0, wanted at least 3"),
    ],
    ids=["a pass", "two workers", "a film", "a photo"],
)
def test_each_target_that_is_missed_is_said(changes: dict[str, float], said: str) -> None:
    assert judge(rows(**changes)).missed == [said]


def test_the_pass_of_the_comparison_is_the_same_picture() -> None:
    import pyvips

    from media_jobs.pickup_pass import draw

    png, _webp = layered_pass(order())
    theirs, ours = (pyvips.Image.new_from_buffer(file, "") for file in (png, draw(order())))

    code = (660, 236, 300, 300)  # whose pattern differs: they rate all eight
    blank = pyvips.Image.black(code[2], code[3], bands=3)
    theirs, ours = (picture.insert(blank, *code[:2]) for picture in (theirs, ours))
    assert (theirs - ours).abs().max() <= 12
