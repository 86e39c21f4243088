"""The parameters are those by which the loads were made."""

from pathlib import Path

import pytest

from orders.benchmarks.plan.parameters import flush_seconds, parameters
from orders.benchmarks.plan.running import Load

FIXED, ONE_LINE, TWO_LINES = 0.003, 0.0004, 0.0007
WEB, READ, FLUSH = 0.002, 0.0005, 0.0015


def load(*, orders: int, size: int, lines: int = 2) -> Load:
    """Return a load of batches of this size, by the costs above."""
    batches = orders / size
    each = ONE_LINE if lines == 1 else TWO_LINES
    spent = {
        "batches": batches,
        "items": orders,
        "python": FIXED * batches + each * orders,
        "database": 2 * (FIXED * batches + each * orders),
    }
    return Load(
        seconds=1.0,
        latencies=[0.01] * orders,
        python=WEB * orders + 2 * spent["python"],
        database=READ * orders + 2 * spent["database"],
        writers={"stock": dict(spent), "sales": dict(spent)},
    )


def test_batches_and_their_orders_are_told_apart() -> None:
    found = parameters(
        few=load(orders=100, size=1),
        many=load(orders=1600, size=16),
        one_line=load(orders=2000, size=10, lines=1),
        flush=FLUSH,
    )

    for writer in (found.stock, found.sales):
        for cost, times in ((writer.python, 1), (writer.database, 2)):
            assert cost.fixed == pytest.approx(times * FIXED)
            assert cost.one_line == pytest.approx(times * ONE_LINE)
            assert cost.two_lines == pytest.approx(times * TWO_LINES)
    assert found.web == pytest.approx(WEB)
    assert found.read == pytest.approx(READ)
    assert found.flush == pytest.approx(FLUSH)


def test_no_cost_is_negative() -> None:
    few, many = load(orders=100, size=1), load(orders=1600, size=16)
    many.writers["stock"]["python"] = 100.0  # a noisy neighbour

    found = parameters(few=few, many=many, one_line=many, flush=FLUSH)

    assert found.stock.python.fixed == 0
    assert found.stock.python.two_lines == pytest.approx(100 / 1600)


def test_beside_other_work_all_but_the_disk_is_slower() -> None:
    alone = parameters(
        few=load(orders=100, size=1),
        many=load(orders=1600, size=16),
        one_line=load(orders=2000, size=10, lines=1),
        flush=FLUSH,
    )

    found = alone.beside(1.0)  # of two cores

    assert found.web == pytest.approx(2 * alone.web)
    assert found.sales.database.fixed == pytest.approx(2 * alone.sales.database.fixed)
    assert found.flush == alone.flush
    assert alone.beside(0.0) == alone


def test_the_disk_is_asked(tmp_path: Path) -> None:
    assert 0 < flush_seconds(tmp_path) < 1
    assert list(tmp_path.iterdir()) == []
