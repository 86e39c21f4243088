"""`bench quotes` measures three ways that give the same answers."""

import pytest

from orders.benchmarks import quotes


def test_each_way_gets_all_quotes_and_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotes, "ROUNDS", 1)
    monkeypatch.setattr(quotes, "DELAY", 0.02)

    report = quotes.bench_quotes()  # it asserts that every carrier has a quote

    assert {(row["carriers"], row["way"]) for row in report.rows} == {
        (count, way) for count in (1, 3, 10) for way in ("threads", "one by one", "asyncio")
    }
    assert report.ratios["one by one against threads, 10 carriers"] > 1
