"""In a shop with a history no page and no step of the relay reads a long table whole."""

from collections.abc import Callable
from functools import partial
from math import inf

import pytest
from django.db import connection, transaction
from django.test import Client

from media_jobs.models import MediaJob
from notifications.delivery.parked import wake
from notifications.models import Notification
from orders.benchmarks.growth.more_rows import count_all_quarters, fill_counters
from orders.benchmarks.growth.pages import Page, list_pages, sample_order
from orders.demo.orders import fill_orders
from orders.lifecycle.expiry import expire_due
from orders.lifecycle.media_ready import tell_media_ready
from orders.messages.announcements import send_announcements
from orders.models import User
from project.database.plans import explained
from project.jobs.dispatch import bury, ring
from project.monitoring.metrics import read_metrics

LONG = {
    "orders_order",
    "orders_orderline",
    "orders_orderevent",
    "orders_stockmovement",
    "notifications_notification",
    "media_jobs_mediajob",
    "project_limitcounter",
}
ORDERS = 25_000
"""With all that belongs to them more than half a million rows: 75,000 lines, 107,000 events, 92,000
movements, 66,000 sales entries, 58,000 messages, 37,000 renditions of 21,000 jobs, 24,000 payments
…: some seconds to fill."""
MOST_BUFFERS = 2_000
"""For one query."""
MOST_OF_A_PAGE = 1_000
"""For all queries of a list's page, but not of a search for words, which sorts what it finds."""

STEPS: dict[str, Callable[[], object]] = {
    "ring messages": partial(ring, Notification),
    "ring media jobs": partial(ring, MediaJob),
    "bury messages": partial(bury, Notification),
    "bury media jobs": partial(bury, MediaJob),
    "wake": wake,
    "expire": expire_due,
    "announce": send_announcements,
    "media ready": tell_media_ready,
    "/metrics": read_metrics,
}


def faults(work: Callable[[], object], *, most: float = inf) -> list[str]:
    """Do the work, and return what is wrong with its queries; `most` is the buffers of all."""
    with explained("default", "writer") as costs:
        work()
    in_all = sum(cost.buffers for cost in costs)
    return [f"{in_all} buffers in all"] * (in_all > most) + [
        f"{cost.buffers} buffers, reads whole {sorted(cost.scanned & LONG)}: {cost.sql}"
        for cost in costs
        if cost.scanned & LONG or cost.buffers > MOST_BUFFERS
    ]


@pytest.mark.timeout(600)
@pytest.mark.django_db(transaction=True, databases=["default", "writer"])
def test_no_page_or_step_reads_a_long_table_whole(client: Client, settings, tmp_path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    settings.PAYMENT_DUE_HOURS = 100_000  # on, and nothing is due
    fill_orders(orders=ORDERS)
    fill_counters(ORDERS)
    count_all_quarters()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    client.force_login(User.objects.create_superuser("root"))
    sample = sample_order()

    def opened(page: Page) -> None:
        query = {name: text.format(**sample) for name, text in page.query.items()}
        assert client.get(page.path, query).status_code == 200

    pages = {page.what: partial(opened, page) for page in list_pages()}
    pages["overview"] = partial(opened, Page("overview", "/admin/"))

    works: dict[str, Callable[[], object]] = {**pages, **STEPS}
    most = {page.what: MOST_OF_A_PAGE for page in list_pages() if not page.is_of_words}
    found = {what: faults(work, most=most.get(what, inf)) for what, work in works.items()}
    assert {what: each for what, each in found.items() if each} == {}

    # The control: without its index, and those that would serve instead, each would be found.
    for indexes, work in (
        ("order_newest", pages["orders: first page"]),
        ("order_newest, order_status_list", pages["overview"]),
        ("order_newest, order_status_list, order_email", pages["orders: e-mail"]),
        ("notification_trouble, notification_not_done", pages["orders: jobs need attention"]),
        ("notification_newest", pages["messages: last page"]),
        ("notification_newest, notification_recipient", pages["messages: recipient"]),
        ("mediajob_newest", pages["media jobs: first page"]),
        ("movement_newest", pages["movements: first page"]),
    ):
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"DROP INDEX {indexes}")
            assert faults(work), indexes
            transaction.set_rollback(True)
