"""Fill the scratch database with demo orders, and measure one thing after the other.

Reading comes first, then what writes: audits and pruning; then what parked messages change. Placing
comes last, because it leaves jobs that are due.
"""

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any
from unittest.mock import patch

from django.db import connection, transaction
from django.test import Client
from django.test.utils import override_settings
from django.utils import timezone

from media_jobs.models import MediaJob
from notifications.delivery.parked import wake
from notifications.models import FINAL, ChannelState, MessageHtml, Notification
from orders.benchmarks.growth.meter import count_buffers, measured
from orders.benchmarks.growth.more_rows import (
    announce,
    count_all_quarters,
    fill_counters,
    fill_prints,
    park,
    spoil_sales,
    vacuum,
)
from orders.benchmarks.growth.pages import SHOP_PAGES, Page, list_pages, sample_order
from orders.benchmarks.placement import order_limits
from orders.demo.orders import fill_orders
from orders.demo.orders.catalogue import deliver_stock, move_stock
from orders.demo.orders.pass_pictures import remove_passes
from orders.desk_jobs.kinds import STOP_ANNOUNCEMENT
from orders.lifecycle import media_ready
from orders.lifecycle.expiry import expire_due
from orders.messages.announcements import cancel_rest, still_open, stop
from orders.models import DeskJob, Order, Product, User
from orders.placing.placement import place_order
from orders.placing.request import OrderRequest, RequestedLine
from orders.placing.settle import settle_due
from orders.placing.writers import drain
from orders.reports.figures import read_figures, table
from project.jobs.dispatch import bury, ring
from project.models import Sweep
from project.monitoring.audit import run_audit
from project.monitoring.recent import audit_recent
from project.schedule import passes
from project.schedule.prune import prune

Row = dict[str, Any]
SEED = 20_110
"""Of its own, so that the pictures of the shop's own demo orders stay."""
PARKED = "parked"
"""Said of what is measured beside parked messages: three for ten orders."""
ROUNDS = 2
"""The least of them counts: other load on the machine only adds."""
PRUNED = 20_000
SPOILT = 10_000
PLACED = 2_000
CLIENTS = 8


def measure_shop(size: int) -> Iterator[Row]:
    """Fill the database, which is empty, with so many orders; yield the rows."""
    began = time.monotonic()
    fill_orders(orders=size, seed=SEED, say=say)
    try:
        fill_counters(size // 10)
        fill_prints(size // 10)
        count_all_quarters()
        vacuum()
        say(f"{size:,} orders in {time.monotonic() - began:,.0f} s")
        with override_settings(ALLOWED_HOSTS=["*"], KEEP_PAGES_SECONDS=0):
            for row in _all_of_it(size):
                say(f"{row}")
                yield {"what": row.pop("what"), "size": size, **row}
    finally:
        drain()
        remove_passes(seed=SEED)


def say(line: str) -> None:
    """Tell people how far it is; the report alone goes to standard output."""
    print(line, file=sys.stderr, flush=True)


def _all_of_it(size: int) -> Iterator[Row]:
    client, sample = _superuser(), sample_order()
    for page in (*list_pages(), *SHOP_PAGES):
        yield _measure(page.what, partial(_open, client, page, sample))
    yesterday = timezone.localdate() - timedelta(days=1)
    figures = {
        "desk: overview": partial(_open, client, Page("", "/admin/"), sample),
        "/metrics": partial(_open, client, Page("", "/metrics"), sample),
    }
    for what, work in figures.items():
        yield _measure(what, work)
    yield _measure("daily report", lambda: (read_figures(yesterday), list(table(yesterday))))
    say("pages are measured")
    yield from _sweep()
    audit_recent()
    yield _measure("audit: five minutes", audit_recent)
    yield _measure_once("audit: nightly", run_audit)
    spoilt = spoil_sales(SPOILT)
    yield _measure_once(f"audit: nightly, correcting {spoilt:,} entries", _correct)
    say("audits are measured")
    yield from _prune()
    park(3 * size // 10)
    beside_parked: dict[str, Callable[[], object]] = {
        **figures,
        "orders: jobs going on": partial(
            _open, client, Page("", "/admin/orders/order/", {"jobs": "open"}), sample
        ),
        "relay: ring messages": partial(ring, Notification),
        "relay: ring media jobs": partial(ring, MediaJob),
        "relay: wake": wake,
        "relay: bury messages": partial(bury, Notification),
    }
    for what, step in beside_parked.items():
        yield _measure(f"{what}, {PARKED}", step)
    ChannelState.objects.update(open_until=timezone.now())
    yield _measure(f"relay: wake one, {PARKED}", wake)
    yield _stop_announcement(3 * size // 10)
    yield from _place(size)


def _measure(what: str, work: Callable[[], object]) -> Row:
    """Do the work until everything is warm and measured; return the least figures."""
    work()
    rounds = []
    for _round in range(ROUNDS):
        with measured() as meter:
            work()
        rounds.append(meter)
    buffers, by_clock = count_buffers(work)
    cpu = [meter.sql_ms for meter in rounds if meter.sql_ms is not None]
    return {
        "what": what,
        "sql_ms": round(min(cpu) if cpu else by_clock, 2),
        "buffers": buffers,
        "queries": rounds[-1].queries,
        "python_ms": round(min(meter.python_ms for meter in rounds), 1),
    }


def _measure_once(what: str, work: Callable[[], object], *, parts: float = 1) -> Row:
    """Do once what can't be repeated or takes long; its figures are divided by `parts`."""
    began = time.monotonic()
    with measured() as meter:
        work()
    by_clock = 1000 * (time.monotonic() - began)
    return {
        "what": what,
        "sql_ms": round((by_clock if meter.sql_ms is None else meter.sql_ms) / parts, 2),
        "buffers": None,
        "queries": round(meter.queries / parts, 2),
        "python_ms": round(meter.python_ms / parts, 1),
    }


# ── Pages ───────────────────────────────────────────────────────────────────────────────────
def _superuser() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("bench-growth"))
    return client


def _open(client: Client, page: Page, sample: dict[str, str]) -> None:
    query = {name: text.format(**sample) for name, text in page.query.items()}
    answer = client.get(page.path.format(**sample), query, secure=True)
    if answer.status_code != 200:
        raise RuntimeError(f"{page.path} {query} answers with {answer.status_code}")


# ── What writes ─────────────────────────────────────────────────────────────────────────────
def _sweep() -> Iterator[Row]:
    """Measure the sweeps' first step after a relay was away, with all orders before it."""
    earliest = Order.objects.earliest("placed_at").placed_at
    Sweep.objects.create(name=media_ready.NAME, done_until=earliest)
    with override_settings(PAYMENT_DUE_HOURS=72), patch.object(passes, "RUN_SECONDS", 0):
        yield _measure_once("settle: a step", settle_due)
        yield _measure_once("expiry: a step", expire_due)
        yield _measure_once("media ready: a step", media_ready.tell_media_ready)


def _correct() -> None:
    """Correct everything, and raise RuntimeError if anything is wrong afterwards."""
    if not run_audit(fix=lambda _change: None).is_clean:
        raise RuntimeError("the audit isn't clean after its corrections")


def _stop_announcement(count: int) -> Row:
    """Stop the announcement as its desk job does, and give the cost of 1,000 of its messages."""
    announcement = announce(count)
    stop(announcement.pk, user_id=None)
    job = DeskJob.objects.claim(DeskJob.objects.get(kind=STOP_ANNOUNCEMENT.name).pk)
    row = _measure_once(
        "announcement: stop 1,000 messages", partial(cancel_rest, job), parts=count / 1000
    )
    if still_open(announcement):
        raise RuntimeError("messages of a stopped announcement are left")
    return row


def _prune() -> Iterator[Row]:
    """Prune the oldest messages' HTML, then the oldest messages, some thousands of each."""
    prune()  # what else is old: of a million orders, some million rows
    vacuum()
    say("what is old is pruned")
    for what, setting, rows, finished in (
        (
            "prune: HTML of 1,000 messages",
            "KEEP_MESSAGE_HTML_DAYS",
            MessageHtml.objects.filter(message__status__in=FINAL),
            "message__finished_at",
        ),
        (
            "prune: 1,000 messages",
            "KEEP_MESSAGES_DAYS",
            Notification.objects.filter(status__in=FINAL),
            "finished_at",
        ),
    ):
        oldest = rows.filter(**{f"{finished}__isnull": False}).order_by(finished)
        times = list(oldest.values_list(finished, flat=True)[:PRUNED])
        if not times:
            continue
        days = (timezone.now() - times[-1]) / timedelta(days=1)
        with override_settings(**{setting: days}):
            yield _measure_once(what, prune, parts=len(times) / 1000)


def _deliver() -> list[str]:
    """Deliver enough of some products; return their SKUs."""
    products = Product.objects.filter(is_active=True).order_by("pk")
    chosen = dict(products.values_list("pk", "sku")[:200])
    units = dict.fromkeys(chosen, 10 * PLACED)
    with transaction.atomic(), connection.cursor() as cursor:
        deliver_stock(cursor, units, timezone.now())
        move_stock(cursor, units)
    return list(chosen.values())


def _place(size: int) -> Iterator[Row]:
    """Place orders by several clients, and give the database's CPU and WAL of one."""
    skus = _deliver()
    requests = iter(
        OrderRequest(
            source=Order.Source.API,
            key=f"bench-growth-{size}-{number:08}",
            name="Ada Lovelace",
            email=f"ada{number}@example.org",
            lines=tuple(
                RequestedLine(skus[(number * 7 + step) % len(skus)], 1) for step in (0, 3, 5)
            ),
        )
        for number in range(2 * PLACED)
    )

    def place(request: OrderRequest) -> None:
        try:
            place_order(request)
        finally:
            connection.close()  # back to the pool, as at the end of a web request

    with order_limits(None), ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(place, islice(requests, PLACED)))  # warm: connections, plans, caches
        with measured() as meter:
            began = time.monotonic()
            list(clients.map(place, islice(requests, PLACED)))
            by_clock = 1000 * (time.monotonic() - began)
    yield {
        "what": "placing: an order",
        "sql_ms": round((by_clock if meter.sql_ms is None else meter.sql_ms) / PLACED, 3),
        "buffers": None,
        "queries": None,
        "python_ms": None,
        "wal_kb": round(meter.wal_bytes / PLACED / 1000, 1),
    }
