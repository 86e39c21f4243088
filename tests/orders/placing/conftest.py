"""Everything here runs on real transactions, with writer threads of its own."""

import itertools
from collections.abc import Iterator

import pytest

from orders.placing import placement
from orders.placing.writers import drain, start_writers, writers


@pytest.fixture(autouse=True)
def writers_end_with_the_test(transactional_db: None) -> Iterator[None]:
    yield
    assert drain(timeout=20)


@pytest.fixture
def two_processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every second order goes through other writers, as if by another web process."""
    ours = writers()
    others = start_writers(name="other-")
    turns = itertools.cycle((ours, others))
    monkeypatch.setattr(placement, "writers", lambda: next(turns))
    yield
    assert others.stock.drain(timeout=20)
    assert others.sales.drain(timeout=20)
