"""Orders are written by the writer threads, which end with each test."""

import pytest


@pytest.fixture(autouse=True)
def _ended(writers: None) -> None:
    """End the writer threads before the database is emptied."""
