"""A transaction that somebody left open on a product: it keeps that product's changes waiting."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models.functions import Now
from django.utils.module_loading import autodiscover_modules

from notifications.models import Notification
from orders.catalogue import scheduled_changes
from orders.messages.announcements import stop
from orders.models import Announcement, DeskJob, Product, ScheduledChange
from orders.placing.writers import drain
from project.celery import app
from project.database import timeouts
from project.jobs.queryset import PARKED
from project.models import Sweep as SweepRow
from project.relay import Relay
from project.schedule import sweeps
from tests.concurrency.workers import running_relay
from tests.factories import add_product
from tests.live import wait_until
from tests.orders.readers import draft

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])


@pytest.fixture(autouse=True)
def writers_end() -> Iterator[None]:
    yield
    assert drain(timeout=20)


@contextmanager
def open_transaction() -> Iterator[None]:
    """`BEGIN; UPDATE orders_product …`, and no COMMIT."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE orders_product SET name = name WHERE sku = 'HELD'")
            yield
            cursor.execute("ROLLBACK")
    finally:
        other.close()


@pytest.fixture
def due() -> Announcement:
    """Work for four sweeps: two changes, an announcement, a parked message; and settle's look."""
    for sku in ("HELD", "FREE"):
        product = add_product(sku, active=False)
        ScheduledChange.objects.create(
            product=product, what=ScheduledChange.What.ON_SALE, at=Now() - timedelta(minutes=1)
        )
    Notification.objects.create(
        kind="order_placed.email",
        event="order_placed",
        channel="email",
        recipient="ada@example.org",
        language="en",
        ring_after=PARKED,
    )
    announcement = draft()
    Announcement.objects.update(status="scheduled", send_at=Now())
    return announcement


def everything_else_is_done() -> bool:
    return (
        Product.objects.get(sku="FREE").is_active
        and DeskJob.objects.exists()
        and not Notification.objects.filter(ring_after=PARKED).exists()
        and SweepRow.objects.filter(name="settle_due", done_at__isnull=False).exists()
    )


def test_it_stops_no_sweep_and_no_other_product(due: Announcement) -> None:
    with open_transaction(), running_relay(Relay(app)):
        wait_until(everything_else_is_done, seconds=30)
        row = SweepRow.objects.filter(name="apply_scheduled", error__contains="HELD")
        wait_until(row.exists, seconds=30)
        assert not Product.objects.get(sku="HELD").is_active

    with running_relay(Relay(app)):
        wait_until(Product.objects.filter(sku="HELD", is_active=True).exists, seconds=30)
        wait_until(SweepRow.objects.filter(name="apply_scheduled", error="").exists, seconds=30)


def one_after_the_other(is_stopping: Callable[[], bool]) -> list[threading.Thread]:
    """Call all sweeps in one thread and without bounds, as it was."""

    def loop() -> None:
        while not is_stopping():
            for each in sweeps.registered:
                with connection.cursor() as cursor:
                    cursor.execute("SET lock_timeout = 0; SET statement_timeout = 0")
                sweeps._run(each)
            time.sleep(0.2)
        connections.close_all()

    thread = threading.Thread(target=loop, name="sweep-all")
    thread.start()
    return [thread]


def test_control_in_one_thread_and_without_bounds_it_stops_all(
    due: Announcement, monkeypatch: pytest.MonkeyPatch
) -> None:
    autodiscover_modules("sweeps")

    def patient(change_id: int, *, patience: Any) -> Any:
        return locked(change_id, patience="0")

    locked = scheduled_changes.lock_product
    monkeypatch.setattr(scheduled_changes, "lock_product", patient)
    monkeypatch.setattr("project.relay.start_sweeps", one_after_the_other)
    monkeypatch.setattr(sweeps, "bound_session", lambda: None)
    first = [each for each in sweeps.registered if each.name == "apply_scheduled"]
    others = [each for each in sweeps.registered if each.name != "apply_scheduled"]
    monkeypatch.setattr(sweeps, "registered", first + others)

    # Opened before the relay starts, or it changes the product first and nothing ever waits.
    with ExitStack() as transaction:
        transaction.enter_context(open_transaction())
        with running_relay(Relay(app)), transaction:
            waits = (
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
                " AND wait_event_type = 'Lock'"
            )
            wait_until(lambda: _finds(waits), seconds=20)
            time.sleep(3)
            assert not DeskJob.objects.exists()
            assert Notification.objects.filter(ring_after=PARKED).exists()
            transaction.close()
            wait_until(everything_else_is_done, seconds=30)


def _finds(query: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone() is not None


def test_a_relays_connections_are_bounded() -> None:
    found: dict[str, str] = {}

    def ask() -> None:
        timeouts.bound_session()
        timeouts.bound_session()
        with connection.cursor() as cursor:
            for name in ("lock_timeout", "statement_timeout"):
                cursor.execute(f"SHOW {name}")
                found[name] = cursor.fetchone()[0]
        connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()

    assert found == {"lock_timeout": "2s", "statement_timeout": "15s"}


def test_a_stop_of_an_announcement_waits_for_no_open_transaction(due: Announcement) -> None:
    """What leaves asks for the mark, and the mark is one row."""
    Notification.objects.update(event="announcement", occasion=str(due.pk), ring_after=Now())
    Announcement.objects.update(status="sending", queued_at=Now())
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT FROM notifications_notification FOR UPDATE")
        assert stop(due.pk, user_id=None)
        cursor.execute("ROLLBACK")
    other.close()
    assert Announcement.objects.get().status == Announcement.Status.STOPPED
