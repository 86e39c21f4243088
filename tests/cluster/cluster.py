"""The whole cluster: its machines, started, healthy, and its books.

with Cluster(filled_data, folder) as cluster, cluster.clients(seed=7) as clients: …
"""

import random
import secrets
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from types import TracebackType
from typing import Any, Self

import psycopg

from tests.cluster import databases, network, shop
from tests.cluster.clients import Clients
from tests.cluster.history import Booked, Books, broken_rules
from tests.faults.drift import drift
from tests.live import wait_until

PLENTY, FEW = 1_000_000, 40
"""The stock of the product that never runs out, and of the one that does."""


def missing() -> str:
    """Return why there can be no cluster here; empty if there can."""
    return network.missing() or databases.missing() or shop.missing()


class Cluster:
    """Booted for the length of the block, with two products to order.

    `synchronous=False` is for controls: commits then don't wait for the standby.
    """

    def __init__(self, filled: Path, *, synchronous: bool = True) -> None:
        self.folder = Path(mkdtemp(prefix="tandem-cluster-"))
        self.folder.chmod(0o711)  # so that PostgreSQL's account can pass through
        self._filled = filled
        self._synchronous = synchronous
        self._stops = ExitStack()
        self.dice = random.Random()
        """Chooses among machines; a run seeds it."""

    def __enter__(self) -> Self:
        with ExitStack() as stops:
            stops.callback(rmtree, self.folder, ignore_errors=True)
            self.lab = stops.enter_context(network.Lab())
            broker = stops.enter_context(shop.virtual_host())
            self.databases = databases.Databases(
                self.lab, self.folder, filled=self._filled, synchronous=self._synchronous
            )
            self.shop = shop.Shop(self.lab, self.folder, database=self.databases.url, broker=broker)
            self.databases.start()
            self._add_products()
            stops.enter_context(self.shop.running())
            self.wait_until_whole(seconds=120)
            self._stops = stops.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stops.close()

    def clients(self, *, seed: int) -> Clients:
        return Clients(self.shop.clients, self.skus, seed=seed)

    def wait_until_whole(self, *, seconds: float = 90) -> None:
        """Return when a standby follows and both web machines let shoppers in."""
        wait_until(self.databases.is_whole, seconds=seconds, what="primary and standby")
        for name in self.shop.web:
            wait_until(
                lambda name=name: self.shop.is_ready(name), seconds=seconds, what=f"{name} is ready"
            )

    # ── books ───────────────────────────────────────────────────────────────────────────────
    def _add_products(self) -> None:
        with closing(self.reader()) as reader:
            self.skus = [reader.add_product(stock=units) for units in (PLENTY, FEW)]
        self.initial = dict(zip(self.skus, (PLENTY, FEW), strict=True))

    def reader(self) -> "Reader":
        """Connect to the server that takes writes."""
        wait_until(self.databases.leader, seconds=60, what="a server takes writes")
        return Reader(self.databases.session(self.databases.leader()))

    def drift(self) -> list[str]:
        """Return the audit's findings of this moment, sales included."""
        with closing(self.reader()) as reader:
            return drift(reader)  # type: ignore[arg-type]

    def audit(self) -> str:
        """Return what `manage.py audit` on a web machine said, if that isn't "clean"."""
        machine = next(iter(self.shop.web.values()))
        done = machine.run(sys.executable, "manage.py", "audit")
        return "" if done.returncode == 0 else done.stdout + done.stderr

    def broken_promises(self, clients: Clients) -> list[str]:
        """Return what of the history the books deny. Nobody may be ordering meanwhile."""
        with closing(self.reader()) as reader:
            books = reader.books(self.initial)
        return broken_rules(clients.history.operations, books)

    def wait_for_jobs(self, *, seconds: float) -> None:
        """Return when every message of the clients' orders is done."""

        def is_done() -> bool:
            with closing(self.reader()) as reader:
                return reader.open_messages() == 0

        wait_until(is_done, seconds=seconds, what="all messages are done")

    def wrong_messages(self) -> list[str]:
        """Return each message that never came, or came twice without its mark."""
        copies = Counter(self.shop.arrivals.read_text().split())
        with closing(self.reader()) as reader:
            return [
                sentence
                for job, status, is_marked in reader.messages()
                if (sentence := _wrong(job, status, copies[job], is_marked=is_marked))
            ]


def _wrong(job: str, status: str, copies: int, *, is_marked: bool) -> str:
    if status == "cancelled":
        return ""
    if copies == 0 or status != "done":
        return f"message {job} is {status} and came {copies} times"
    if copies > 1 and not is_marked:
        return f"message {job} came {copies} times, and isn't marked"
    return ""


class Reader:
    """One session with the shop's database."""

    def __init__(self, session: psycopg.Connection[Any]) -> None:
        self._session = session

    def close(self) -> None:
        self._session.close()

    def all(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._session.execute(query, values).fetchall()

    def add_product(self, *, stock: int) -> str:
        """Add a product with so many units; return its SKU."""
        sku = f"CLUSTER-{secrets.token_hex(4)}"
        ((product_id,),) = self.all(
            "INSERT INTO orders_product (sku, name, slug, description, price, is_active,"
            " category_id) SELECT %s, %s, %s, '', 2.50, true, min(id) FROM orders_category"
            " RETURNING id",
            sku,
            sku,
            sku.lower(),
        )
        self._session.execute(
            "INSERT INTO orders_stock (product_id, initial, available) VALUES (%s, %s, %s)",
            [product_id, stock, stock],
        )
        self._session.execute(
            "INSERT INTO orders_productsales (product_id, units, amount) VALUES (%s, 0, 0)",
            [product_id],
        )
        return sku

    def books(self, initial: dict[str, int]) -> Books:
        """Read the clients' orders and the stock of these products."""
        # One snapshot: an order that nobody waits for any more may still be placed meanwhile.
        self._session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        orders = self.all(
            "SELECT o.id::text, o.name, o.status,"
            " (SELECT jsonb_object_agg(sku, quantity) FROM orders_orderline WHERE order_id = o.id),"
            " (SELECT array_agg(kind ORDER BY id) FROM orders_orderevent WHERE order_id = o.id)"
            " FROM orders_order o WHERE o.name LIKE 'cluster-%%'"
        )
        available = self.all(
            "SELECT sku, available FROM orders_stock JOIN orders_product ON id = product_id"
            " WHERE sku = ANY(%s)",
            list(initial),
        )
        self._session.execute("COMMIT")
        return Books(
            [
                Booked(order, key, status, lines, tuple(events or ()))
                for order, key, status, lines, events in orders
            ],
            {sku: (initial[sku], left) for sku, left in available},
        )

    def messages(self) -> Sequence[tuple[str, str, bool]]:
        """Return the job, status and mark of each message of the clients' orders."""
        return self.all(f"SELECT n.id::text, n.status, n.maybe_duplicate {_MESSAGES}")

    def open_messages(self) -> int:
        ((count,),) = self.all(f"SELECT count(*) {_MESSAGES} AND n.status IN ('queued', 'running')")
        return int(count)


_MESSAGES = (
    "FROM notifications_notification n JOIN orders_order o ON o.id = n.order_id"
    " WHERE o.name LIKE 'cluster-%%'"
)
