"""A look into the live shop's database, and the code of the release before."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.concurrency.previous_release import unpack
from tests.concurrency.rush import Books
from tests.live import LiveShop


@pytest.fixture
def books(live_shop: LiveShop) -> Iterator[Books]:
    books = Books(live_shop)
    yield books
    books.cancel_jobs()  # a rush's thousands of messages must not hold up the next test's
    books.close()


@pytest.fixture(scope="session")
def old_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the code of the release before. Skips where git doesn't have it."""
    return unpack(tmp_path_factory.mktemp("old"))
