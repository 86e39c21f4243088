"""`bench memory`: how what the processes held is judged."""

import pytest

from orders.benchmarks.whole.memory import OTHER, OURS, TARGETS, judge

CALM = ({"web": 100.0, "media": 200.0}, {"web": 101.0, "media": 202.0})


def test_a_growth_is_that_of_the_process_that_grew_most() -> None:
    report = judge(
        {OURS: {"web": 90.0}},
        ({"web": 100.0, "notify": 50.0}, {"web": 104.0, "notify": 57.0}),
        CALM,
    )

    assert report.ratios == {"most growth in MB by orders": 7.0, "most growth in MB by jobs": 2.0}
    assert report.missed == []


@pytest.mark.parametrize("phase", ["orders", "jobs"])
def test_a_growth_beyond_the_bound_is_missed(phase: str) -> None:
    grown = ({"web": 100.0}, {"web": 110.1})
    phases = (grown, CALM) if phase == "orders" else (CALM, grown)

    report = judge({OURS: {"web": 90.0}}, *phases)

    assert report.missed == [f"most growth in MB by {phase} is 10.1, wanted at most 10"]


def test_the_servers_caches_may_grow_and_a_process_that_ended_is_left_out() -> None:
    grown = (
        {"postgres": 100.0, "valkey": 3.0, "web": 100.0, "gone": 9.0},
        {"postgres": 500.0, "valkey": 90.0, "web": 101.0},
    )

    report = judge({OURS: {"web": 90.0}}, grown, CALM)

    assert report.ratios["most growth in MB by orders"] == 1.0
    assert report.missed == []


@pytest.mark.parametrize(("ours", "missed"), [(80.0, 0), (80.2, 1)])
def test_fresh_it_may_hold_four_fifths_of_the_other_build(ours: float, missed: int) -> None:
    fresh = {OURS: {"web": ours - 30.0, "relay": 30.0}, OTHER: {"web": 60.0, "old": 40.0}}

    report = judge(fresh, CALM, CALM)

    assert report.ratios["fresh, to the other build"] == round(ours / 100, 3)
    assert report.targets == TARGETS
    assert len(report.missed) == missed


def test_each_process_has_a_row_and_all_have_their_sum() -> None:
    report = judge({OURS: {"web": 90.04, "beat": 10.0}}, CALM, CALM)

    assert [row["process"] for row in report.rows] == ["beat", "media", "web", "all"]
    beat, _media, web, everything = report.rows
    assert (beat["fresh_mb"], beat["orders_mb"]) == (10.0, None)
    assert (web["tenth_of_orders_mb"], web["orders_mb"]) == (100.0, 101.0)
    assert everything["fresh_mb"] == 100.0
    assert everything["jobs_mb"] == 303.0
