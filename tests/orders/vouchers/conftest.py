"""Orders are written by the writer threads, which end with each test."""

import pytest

from tests.orders.placing.conftest import two_processes

__all__ = ["two_processes"]


@pytest.fixture(autouse=True)
def _ended(writers: None) -> None:
    """End the writer threads before the database is emptied."""
