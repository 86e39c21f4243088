"""A look into the live shop's database."""

from collections.abc import Iterator

import pytest

from tests.concurrency.rush import Books
from tests.live import LiveShop


@pytest.fixture
def books(live_shop: LiveShop) -> Iterator[Books]:
    books = Books(live_shop)
    yield books
    books.cancel_jobs()  # a rush's thousands of messages must not hold up the next test's
    books.close()
