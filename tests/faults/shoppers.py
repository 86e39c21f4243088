"""Load: shoppers who order one thing after the other while something else goes wrong."""

import threading
from contextlib import closing
from types import TracebackType
from typing import Any, Self

import httpx

from tests.concurrency.rush import Books, new_key, order_body
from tests.live import LiveShop, wait_until


class Shoppers:
    """They order for the length of the block, each with a connection of his own.

    `accepted` has the ids of all orders that were answered 201, `statuses` every answer's
    status. Who gets no answer tries another order.
    """

    def __init__(self, shop: LiveShop, sku: str, *, clients: int = 8) -> None:
        self.accepted: list[str] = []
        self.statuses: list[int] = []
        self._url = f"{shop.url}/api/v1/orders"
        self._body: dict[str, Any] = order_body((sku, 1))
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._shop) for _ in range(clients)]

    def wait_for(self, orders: int) -> None:
        """Return when so many more orders were accepted."""
        goal = len(self.accepted) + orders
        wait_until(lambda: len(self.accepted) >= goal, seconds=30, what=f"{orders} more orders")

    def _shop(self) -> None:
        with httpx.Client(timeout=30, trust_env=False) as client:
            while not self._over.is_set():
                try:
                    answer = client.post(
                        self._url, json=self._body, headers={"Idempotency-Key": new_key()}
                    )
                except httpx.TransportError:
                    self._over.wait(0.1)
                    continue
                self.statuses.append(answer.status_code)
                if answer.status_code == 201:
                    self.accepted.append(answer.json()["id"])
                else:
                    self._over.wait(0.1)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


def add_product(shop: LiveShop) -> str:
    """Add a product, by a connection that is closed when the database dies; return its SKU."""
    with closing(Books(shop)) as books:
        return books.add_product(stock=1_000_000)


def lost(books: Books, accepted: list[str]) -> set[str]:
    """Those of the orders that aren't there."""
    found = books.all("SELECT id::text FROM orders_order WHERE id = ANY(%s::uuid[])", accepted)
    return set(accepted) - {order_id for (order_id,) in found}
