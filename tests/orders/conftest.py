"""Fixtures for tests that place orders."""

from collections.abc import Iterator

import pytest

from orders.placing.writers import drain


@pytest.fixture
def writers() -> Iterator[None]:
    """End the writer threads with the test, before its database is emptied."""
    yield
    assert drain(timeout=20)
