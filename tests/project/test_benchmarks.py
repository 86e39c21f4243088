"""What benchmarks share: a ratio outside its bounds is a missed target, and how one is run."""

import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from project.benchmarks import Benchmark, Report, judged
from project.management.commands import bench

BOUNDS = {"rate": {"at_least": 2.0}, "p99 ms": {"at_most": 400.0}, "unmeasured": {"at_least": 1.0}}


@pytest.mark.parametrize(
    ("rate", "wait", "missed"),
    [
        (2.0, 400.0, []),
        (1.999, 400.0, ["rate is 1.999, wanted at least 2"]),
        (2.0, 400.1, ["p99 ms is 400.1, wanted at most 400"]),
    ],
)
def test_a_ratio_outside_its_bounds_is_a_missed_target(
    rate: float, wait: float, missed: list[str]
) -> None:
    report = judged([], {"rate": rate, "p99 ms": wait, "other": 1.0}, BOUNDS)

    assert report.missed == missed
    assert report.targets == {name: BOUNDS[name] for name in ("rate", "p99 ms")}


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """A benchmark whose only ratio is the minutes of its soak; one is its target."""

    def run(minutes: float) -> Report:
        return judged([{"minutes": minutes}], {"soak": minutes}, {"soak": {"at_least": 1.0}})

    known = {
        "tiny": Benchmark(name="tiny", summary="", run=run, soak_minutes=0.5),
        "short": Benchmark(name="short", summary="", run=run),
    }
    monkeypatch.setattr(bench, "benchmarks", lambda: known)


@pytest.mark.usefixtures("tiny")
def test_json_is_all_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("bench", "tiny", "--json", "--soak", "2")

    assert json.loads(capsys.readouterr().out) == {
        "rows": [{"minutes": 2.0}],
        "ratios": {"soak": 2.0},
        "targets": {"soak": {"at_least": 1.0}},
    }


@pytest.mark.usefixtures("tiny")
def test_below_target_it_says_so_beside_the_json_and_exits_with_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("bench", "tiny", "--json")

    printed = capsys.readouterr()
    assert ended.value.code == 1
    assert json.loads(printed.out)["ratios"] == {"soak": 0.5}
    assert "target missed: soak is 0.5, wanted at least 1" in printed.err


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("minutes", ["0", "-1", "long", "100000"])
def test_a_soak_of_no_minutes_is_refused(minutes: str) -> None:
    with pytest.raises(CommandError, match="--soak"):
        call_command("bench", "tiny", "--soak", minutes)


@pytest.mark.usefixtures("tiny")
def test_a_benchmark_without_a_soak_takes_none() -> None:
    with pytest.raises(CommandError, match="no soak"):
        call_command("bench", "short", "--soak", "1")
