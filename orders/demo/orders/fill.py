"""Filling the shop with demo orders: batch after batch, each a transaction that keeps every rule.

Rows are made here and copied, in the shapes that `place_order` and the services of an order's life
write. A million orders through these services would take hours.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from time import monotonic

from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from orders.demo.orders import catalogue
from orders.demo.orders.batch import Lot, Stage
from orders.demo.orders.moments import moments
from orders.demo.orders.pass_pictures import draw_passes
from orders.demo.orders.shoppers import Shoppers
from orders.demo.orders.workers import write_lots
from orders.models import DemoFill
from orders.reports.quarters import count_anew
from project.database.advisory_lock import try_lock
from project.database.clock import database_now

BATCH_SIZE = 5_000
LOCK = 0x7A0DF
"""Held by a fill or a removal."""
TABLES = (
    *("orders_order", "orders_orderline", "orders_orderevent", "orders_payment", "orders_refund"),
    *("orders_refundline", "orders_stock", "orders_stockmovement", "orders_productsales"),
    *("orders_salesentry", "orders_product", "orders_user", "notifications_notification"),
    *("media_jobs_mediajob", "media_jobs_rendition", "django_celery_results_taskresult"),
)
"""Those whose statistics PostgreSQL renews after a fill. Batches don't write products and users."""

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
        pictures = draw_passes(seed=seed)
        goods = catalogue.create(orders=orders, seed=seed)
        shoppers = Shoppers(orders=orders, seed=seed)
        accounts = shoppers.sign_up(until=record.until)
        products = len(goods.goods.choices)
        say(f"{products:,} products and {accounts:,} accounts are made.")
        until = record.until.astimezone(UTC)
        stage = Stage(orders, seed, until, goods, shoppers, pictures)
        written, started = 0, monotonic()
        with _no_search_for_cycles():
            for count in write_lots(stage.write, _lots(record), orders=orders):
                written += count
                pace = written / (monotonic() - started)
                left = (orders - written) / pace
                say(f"{written:,} of {orders:,} orders, {pace:,.0f} a second, {left:,.0f} s to go.")
        catalogue.put_on_sale(orders=orders, seed=seed)
        _analyze()
        count_anew()  # its sweep doesn't look at changes of the past
        DemoFill.objects.filter(pk=record.pk).update(finished_at=Now())
    return FilledOrders(orders, products, accounts, seconds=monotonic() - began)


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Have Python search for no reference cycles: a batch has none, and hundreds of thousands of
    objects, which it would look at again and again for a sixth of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _last_midnight() -> datetime:
    """Return the end of yesterday in the shop's time zone."""
    now = timezone.localtime(database_now())
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(TABLES)}")


def _lots(record: DemoFill) -> Iterator[Lot]:
    """Yield the lots, the earliest first, each with the next numbers of the shop."""
    times = moments(orders=record.orders, until=record.until, seed=record.seed)
    size = min(BATCH_SIZE, -(-record.orders // 4))
    begin = 0
    while lot := [time.astimezone(UTC) for time in islice(times, size)]:
        yield Lot(begin, lot, _next_numbers(len(lot)))
        begin += len(lot)


def _next_numbers(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('orders_order_number') FROM generate_series(1, %s)", [count])
        return [number for (number,) in cursor.fetchall()]
