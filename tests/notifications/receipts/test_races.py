"""Two receipts of one message at the same moment: the graver one stays, whichever is first."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from notifications.models import Notification
from notifications.receipts.effect import apply
from notifications.receipts.report import Report
from tests.live import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

Delivery = Notification.Delivery


def is_waiting_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees its first one
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])


def while_bounced_is_being_written(
    message: Notification, tell: Callable[[Notification], object]
) -> str:
    """Let `tell` run into the row that a bounce has locked, then commit the bounce."""

    def late() -> None:
        try:
            tell(message)
        finally:
            connection.close()

    thread = threading.Thread(target=late)
    with transaction.atomic():
        apply(Report(Delivery.BOUNCED, message_id=message.pk), channel="email")
        thread.start()
        wait_until(is_waiting_for_a_lock, seconds=10)
    thread.join()
    message.refresh_from_db()
    return message.delivery


def test_a_delivery_that_waits_for_a_bounce_does_not_hide_it(queued) -> None:
    def tell(message: Notification) -> None:
        apply(Report(Delivery.DELIVERED, message_id=message.pk), channel="email")

    assert while_bounced_is_being_written(queued(), tell) == Delivery.BOUNCED


def test_control_to_look_first_and_write_then_hides_the_bounce(queued) -> None:
    def tell(message: Notification) -> None:
        if Notification.objects.get(pk=message.pk).delivery == "":
            Notification.objects.filter(pk=message.pk).update(
                delivery=Delivery.DELIVERED, delivery_at=Now()
            )

    assert while_bounced_is_being_written(queued(), tell) == Delivery.DELIVERED
