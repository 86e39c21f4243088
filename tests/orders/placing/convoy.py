"""Other processes' writers, as a row sees them: one holds it, the next already waits for it."""

import threading
from types import TracebackType
from typing import Self

import psycopg

from tests.database import this_database

LOOK_SECONDS = 0.005
"""How often a session looks whether somebody waits for its row."""


class Convoy:
    """For the length of the block, sessions hand a product's stock row on to each other.

    Each holds it for `seconds` once somebody waits for it, and changes it, as a batch of orders
    does. It is hardly ever free for one who only tries: for a fraction of a millisecond, between
    one session's COMMIT and the moment in which the next wakes up. One session alone (1) lets go
    only of a row for which another stands in line, so that one who only tries never finds it free.
    """

    def __init__(
        self,
        product_id: int,
        *,
        sessions: int = 2,
        seconds: float = 0.3,
        application: str = "tandem-writer",
    ) -> None:
        self._product_id = product_id
        self._seconds = seconds
        self._application = application
        self._over = threading.Event()
        self._under_way = threading.Event()
        self._threads = [threading.Thread(target=self._hand_on) for _ in range(sessions)]

    def _hand_on(self) -> None:
        with psycopg.connect(
            this_database(), application_name=self._application, autocommit=True
        ) as session:
            while not self._over.is_set():
                with session.transaction():
                    session.execute(
                        "SELECT 1 FROM orders_stock WHERE product_id = %s FOR NO KEY UPDATE",
                        [self._product_id],
                    )
                    if len(self._threads) == 1:
                        self._under_way.set()
                    while not self._over.is_set() and not _has_waiter(session):
                        self._over.wait(LOOK_SECONDS)
                    self._under_way.set()
                    self._over.wait(self._seconds)
                    session.execute(
                        "UPDATE orders_stock SET available = available WHERE product_id = %s",
                        [self._product_id],
                    )

    def begin(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        self.begin()
        if not self._under_way.wait(20):
            self.end()
            raise AssertionError(f"nobody came to hold product {self._product_id}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()


def _has_waiter(session: psycopg.Connection) -> bool:
    return bool(
        session.execute(
            # Not pg_stat_activity: in a transaction it shows what it showed the first time.
            "SELECT 1 FROM pg_locks"
            " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        ).fetchall()
    )
