"""`bench orders`: how its rounds are judged, and how it finds a build's most."""

from typing import Any

import pytest

from orders.benchmarks.whole import orders
from orders.benchmarks.whole.orders import LONGEST, OTHER, OURS, TARGETS, judge


def one(rate: float, *, took: float = 40.0, placed: int = 100, **cpu: float) -> dict[str, Any]:
    return {"rate": rate, "took": took, "placed": placed, "cpu": cpu}


def test_four_times_the_rate_of_the_other_build_is_enough() -> None:
    report = judge({OURS: [one(8.0)], OTHER: [one(2.0)]})

    assert report.ratios == {"rounds whose jobs were late": 0.0, "to the other build": 4.0}
    assert report.targets == TARGETS
    assert report.missed == []


def test_less_is_missed_and_said() -> None:
    report = judge({OURS: [one(7.9)], OTHER: [one(2.0)]})

    assert report.missed == ["to the other build is 3.95, wanted at least 4"]


def test_the_median_round_counts_and_the_others_are_its_spread() -> None:
    report = judge({OURS: [one(9.0), one(1.0), one(3.0, took=33.0, placed=99)]})

    [row] = report.rows
    assert (row["per_second"], row["least"], row["most"]) == (3.0, 1.0, 9.0)
    assert (row["seconds"], row["orders"]) == (33.0, 99)


def test_cpu_is_that_of_an_order_of_the_median_round() -> None:
    report = judge({OURS: [one(1.0, media=9.0), one(2.0, media=3.0, beat=0.01), one(3.0)]})

    assert report.rows[0]["media_cpu_ms"] == 30.0
    assert "beat_cpu_ms" not in report.rows[0], "too little to say"


@pytest.mark.parametrize(("took", "late"), [(LONGEST, 0.0), (LONGEST + 0.1, 1.0)])
def test_a_round_is_late_after_a_minute(took: float, late: float) -> None:
    report = judge({OURS: [one(5.0, took=took), one(5.0)], OTHER: [one(1.0, took=999.0)]})

    assert report.ratios["rounds whose jobs were late"] == late
    assert bool(report.missed) == bool(late)


def test_alone_a_build_is_compared_with_none() -> None:
    report = judge({OURS: [one(1.0)]})

    assert set(report.ratios) == {"rounds whose jobs were late"}
    assert report.missed == []


def test_loads_grow_until_a_build_falls_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def measured(shop: Any, count: int, seconds: float) -> tuple[float, float, int]:
        asked.append(count)
        took = max(seconds, count / 20)  # this one does twenty a second
        return count / took, took, count

    monkeypatch.setattr(orders, "_measured", measured)

    assert orders._most(None) == 20.0  # type: ignore[arg-type]
    assert asked == [40, 80, 160]


def test_loads_end_where_a_build_takes_no_more_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(shop: Any, count: int, seconds: float) -> tuple[float, float, int]:
        placed = min(count, 300)
        return placed / seconds, seconds, placed

    monkeypatch.setattr(orders, "_measured", measured)

    assert orders._most(None) == 60.0  # type: ignore[arg-type]
