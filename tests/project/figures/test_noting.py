"""What a process counts reaches the page, added up, and noting it never waits."""

import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest

from project.figures import noting
from project.figures.noting import Counter, Gauge, Histogram, count, flush, observe, page, show


@pytest.fixture(autouse=True)
def nothing_noted() -> Iterator[None]:
    noting.forget()
    yield
    noting.forget()


@pytest.fixture
def name() -> str:
    return f"test_{uuid4().hex}"


def lines(name: str) -> list[str]:
    return [line for line in page().decode().splitlines() if line.startswith(name)]


def test_counts_are_added_up_by_labels(name: str) -> None:
    orders = Counter(name, "orders", labels=("source", "outcome"))

    count(orders, "api", "placed")
    count(orders, "api", "placed")
    count(orders, "shop", "busy", amount=3)

    assert f'{name}_total{{outcome="placed",source="api"}} 2.0' in lines(name)
    assert f'{name}_total{{outcome="busy",source="shop"}} 3.0' in lines(name)


def test_values_fall_below_the_bounds_of_a_histogram(name: str) -> None:
    sizes = Histogram(name, "sizes", labels=("writer",), bounds=(1, 4))

    for size in (1, 3, 5):
        observe(sizes, "stock", value=size)

    assert f'{name}_bucket{{le="1.0",writer="stock"}} 1.0' in lines(name)
    assert f'{name}_bucket{{le="4.0",writer="stock"}} 2.0' in lines(name)
    assert f'{name}_sum{{writer="stock"}} 9.0' in lines(name)


def test_a_gauge_shows_its_last_value(name: str) -> None:
    queue = Gauge(name, "queue")

    show(queue, value=3)
    show(queue, value=0)

    assert lines(name) == [f"{name} 0.0"]


def test_where_nobody_tells_what_is_noted_memory_is_bounded(name: str) -> None:
    orders = Counter(name, "orders")

    for _each in range(noting.MOST_NOTED + 10):
        count(orders)

    assert len(noting._noted) == noting.MOST_NOTED


def test_noting_waits_for_nobody_who_tells(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    orders, is_told, may_go_on = Counter(name, "orders"), threading.Event(), threading.Event()
    tell = noting._tell

    def slowly(*noted: object) -> None:
        is_told.set()
        assert may_go_on.wait(30)
        tell(*noted)  # type: ignore[arg-type]

    monkeypatch.setattr(noting, "_tell", slowly)
    count(orders)
    teller = threading.Thread(target=flush)
    teller.start()
    assert is_told.wait(30)
    try:
        count(orders)
        assert len(noting._noted) == 1  # it is there, while the first one is still being told
    finally:
        may_go_on.set()
        teller.join(30)
    monkeypatch.undo()

    assert f"{name}_total 2.0" in lines(name)
