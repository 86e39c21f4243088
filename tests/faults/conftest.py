"""Faults are met on real transactions, with writer threads that end with their test."""

from collections.abc import Iterator

import pytest

from orders.placing.writers import drain
from tests.concurrency.rush import Books
from tests.faults.supervised_workers import inbox, media, notify, relay, start
from tests.live import LiveShop
from tests.notifications.conftest import email_port, gateway, mail_server, queued

__all__ = ["email_port", "gateway", "mail_server", "queued"]
__all__ += ["inbox", "media", "notify", "relay", "start"]


@pytest.fixture(autouse=True)
def writers_end_with_the_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """For the tests with a database of their own; a live shop's writers live elsewhere."""
    if request.node.get_closest_marker("django_db"):
        request.getfixturevalue("transactional_db")
    yield
    assert drain(timeout=20)


@pytest.fixture
def books(live_shop: LiveShop) -> Iterator[Books]:
    """The live shop's database."""
    books = Books(live_shop)
    yield books
    books.cancel_jobs()
    books.close()
