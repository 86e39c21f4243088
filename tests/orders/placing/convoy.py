"""Other processes' writers, as a row sees them: one holds it, the next already waits for it."""

import threading
from types import TracebackType
from typing import Self

import psycopg

from tests.database import this_database


class Convoy:
    """For the length of the block, sessions hand a product's stock row on to each other.

    Each holds it for `seconds`, and changes it, as a batch of orders does. It is never free for
    one who only tries.
    """

    def __init__(
        self,
        product_id: int,
        *,
        sessions: int = 2,
        seconds: float = 0.3,
        application: str = "tandem-writer",
    ) -> None:
        self.turns = 0
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
                    self._over.wait(self._seconds)
                    session.execute(
                        "UPDATE orders_stock SET available = available WHERE product_id = %s",
                        [self._product_id],
                    )
                self.turns += 1
                if self.turns >= len(self._threads):
                    self._under_way.set()

    def begin(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        self.begin()
        assert self._under_way.wait(20)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()
