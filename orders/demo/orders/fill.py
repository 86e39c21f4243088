"""Filling the shop with demo orders: batch after batch, each a transaction that keeps every rule.

Rows are made here and copied, in the shapes that `place_order` and the services of an order's life
write. A million orders through these services would take hours.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from random import Random
from time import monotonic

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from media_jobs.models import MediaJob
from notifications.models import Notification
from orders.demo.orders import catalogue, lives
from orders.demo.orders.catalogue import Catalogue
from orders.demo.orders.lives import Life
from orders.demo.orders.moments import moments
from orders.demo.orders.pass_pictures import draw_passes
from orders.demo.orders.rows import money, orders, sales, stock, task_results
from orders.demo.orders.rows.media_jobs import Passes
from orders.demo.orders.rows.messages import MOST_PARKED, Outbox
from orders.demo.orders.shoppers import Shoppers
from orders.models import DemoFill
from project.database.advisory_lock import try_lock
from project.database.clock import database_now

BATCH_SIZE = 5_000
LOCK = 0x7A0DF
"""Held by a fill or a removal."""
MESSAGES_KEPT = 0.65
"""The share of the orders, the newest ones, with messages: those of older ones were pruned."""
RESULTS_KEPT = 0.12
"""The share of the orders, the newest ones, with task results."""
TABLES = (
    *("orders_order", "orders_orderline", "orders_orderevent", "orders_payment", "orders_refund"),
    *("orders_refundline", "orders_stock", "orders_stockmovement", "orders_productsales"),
    *("orders_salesentry", "orders_product", "orders_user", "notifications_notification"),
    *("media_jobs_mediajob", "media_jobs_rendition", "django_celery_results_taskresult"),
)

Progress = Callable[[str], object]
"""Takes a sentence for people."""


class AlreadyFilled(Exception):
    """The shop has demo orders, whole or half: `--remove` takes them away."""


class InUse(Exception):
    """Another process fills the shop, or removes."""


@dataclass(frozen=True)
class FilledOrders:
    """The created rows, and the seconds that they took."""

    orders: int
    products: int
    accounts: int
    seconds: float


def fill_orders(*, orders: int, seed: int = 1, say: Progress = lambda _line: None) -> FilledOrders:
    """Fill the shop with so many orders of the two years up to last midnight.

    The same number and seed make the same rows, with other days. Each batch is a transaction; an
    interrupted fill is taken away by `remove_orders`. Raises AlreadyFilled or InUse.
    """
    began = monotonic()
    with try_lock(LOCK) as locked:
        if not locked:
            raise InUse
        if DemoFill.objects.exists():
            raise AlreadyFilled
        record = DemoFill.objects.create(seed=seed, orders=orders, until=_last_midnight())
        work = _Work(record)
        say(f"{len(work.catalogue.goods):,} products and {work.accounts:,} accounts are made.")
        for written in work.batches():
            pace = written / (monotonic() - began)
            left = (orders - written) / pace
            say(f"{written:,} of {orders:,} orders, {pace:,.0f} a second, {left:,.0f} s to go.")
        catalogue.put_on_sale(orders=orders, seed=seed)
        _analyze()
        DemoFill.objects.filter(pk=record.pk).update(finished_at=Now())
    return FilledOrders(
        orders, len(work.catalogue.goods), work.accounts, seconds=monotonic() - began
    )


def _last_midnight() -> datetime:
    """Return the end of yesterday in the shop's time zone."""
    now = timezone.localtime(database_now())
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(TABLES)}")


class _Work:
    """One fill: its catalogue, its shoppers, and the batches of its orders."""

    def __init__(self, record: DemoFill) -> None:
        self._record = record
        self._pictures = draw_passes(seed=record.seed)
        self.catalogue: Catalogue = catalogue.create(orders=record.orders, seed=record.seed)
        self._shoppers = Shoppers(orders=record.orders, seed=record.seed)
        self.accounts = self._shoppers.sign_up(until=record.until)
        self._outbox = Outbox(record.until, parked_left=min(MOST_PARKED, record.orders // 1000))
        self._passes = Passes(self._pictures)

    def batches(self) -> Iterator[int]:
        """Write the batches; yield the number of orders written so far."""
        written = 0
        # PostgreSQL checks the foreign keys of a batch while the next one is being made.
        with ThreadPoolExecutor(1, thread_name_prefix="demo-orders") as maker:
            lots = self._lots()
            coming = maker.submit(next, lots, None)
            while (made := coming.result()) is not None:
                coming = maker.submit(next, lots, None)
                batch, random = made
                self._write(batch, random)
                written += len(batch)
                yield written

    def _lots(self) -> Iterator[tuple[list[Life], Random]]:
        """Yield the lives of each batch, and its generator for the rest. It reads no database."""
        record = self._record
        times = enumerate(moments(orders=record.orders, until=record.until, seed=record.seed))
        while lot := list(islice(times, BATCH_SIZE)):
            random = Random(f"{record.seed}/orders/{lot[0][0]}")
            yield [self._live(*one, random) for one in lot], random

    def _live(self, position: int, placed_at: datetime, random: Random) -> Life:
        return lives.live(
            position=position,
            seed=self._record.seed,
            shopper=self._shoppers.choose(random),
            chosen=self.catalogue.choose(random),
            placed_at=placed_at,
            until=self._record.until,
            random=random,
        )

    def _write(self, batch: Sequence[Life], random: Random) -> None:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            # The record of the fill is on disk already: what a crash of the server loses of the
            # last batches, `remove_orders` doesn't miss.
            cursor.execute("SET LOCAL synchronous_commit = off")
            cursor.execute("SET LOCAL statement_timeout = 0")
            orders.number_orders(cursor, batch)
            orders.write(cursor, batch)
            money.write(cursor, batch)
            stock.write(cursor, batch, self.catalogue)
            count = self._record.orders
            kept = [life for life in batch if life.position >= count * (1 - MESSAGES_KEPT)]
            recent = [life for life in batch if life.position >= count * (1 - RESULTS_KEPT)]
            made = self._passes.write(cursor, batch, random)
            sent = self._outbox.write(cursor, kept, random)
            if recent:
                since = recent[0].order.placed_at
                task_results.write(cursor, MediaJob, made, since=since)
                task_results.write(cursor, Notification, sent, since=since)
            sales.write(cursor, batch)
