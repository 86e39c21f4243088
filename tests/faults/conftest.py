"""Faults are met on real transactions, with writer threads that end with their test."""

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.db.backends.utils import CursorWrapper

from orders.lifecycle.errors import TransitionError
from orders.placing.writers import drain
from tests.concurrency.rush import Books
from tests.faults.supervised_workers import inbox, media, notify, relay, start
from tests.live import LiveShop
from tests.notifications.conftest import email_port, gateway, mail_server, queued
from tests.races import AtOnce, Step

__all__ = ["email_port", "gateway", "mail_server", "queued"]
__all__ += ["inbox", "media", "notify", "relay", "start"]

LOCKING = re.compile(r"FOR NO KEY UPDATE( OF counter)?( SKIP LOCKED)?")


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


@pytest.fixture
def at_once() -> Iterator[AtOnce]:
    """Call it with two steps: they start together, on connections of their own.

    It returns what they returned, a refusal as the exception.
    """
    start = threading.Barrier(2)

    def run(step: Step) -> Any:
        start.wait(10)
        try:
            return step()
        except TransitionError as refusal:
            return refusal

    with ThreadPoolExecutor(2) as pool:
        yield lambda *steps: list(pool.map(run, steps))
        list(pool.map(lambda close: (start.wait(10), close()), [connections.close_all] * 2))


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take out the row locks: what was to be locked is only read, a moment before it is used."""
    execute = CursorWrapper.execute

    def execute_unlocked(self: CursorWrapper, sql: str, params: Any = None) -> Any:
        answer = execute(self, LOCKING.sub("", sql), params)
        if "FOR NO KEY UPDATE" in sql:
            time.sleep(0.02)
        return answer

    monkeypatch.setattr(CursorWrapper, "execute", execute_unlocked)
