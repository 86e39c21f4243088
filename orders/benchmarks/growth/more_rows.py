"""Rows that demo orders don't have: keys of limits, print jobs, parked messages, wrong sales."""

from datetime import timedelta

from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from notifications.models import ChannelState
from orders.models import Announcement
from orders.reports.quarters import NAME as COUNT_QUARTERS
from orders.reports.quarters import count_quarters
from project.models import Sweep


def fill_counters(count: int) -> None:
    """Count as many keys of order limits; one of a hundred is at its limit."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO project_limitcounter (name, key, used, allowed, ends_at)
            SELECT 'email', 'c' || i || '@example.org', CASE WHEN i %% 100 = 0 THEN 5 ELSE 1 END, 5,
                   now() + make_interval(hours => 1, secs => i)
            FROM generate_series(1, %s) AS i
            """,
            [count],
        )


def park(count: int) -> None:
    """Park a message of so many orders, because their gateway is down."""
    ChannelState.objects.update_or_create(
        gateway="email",
        defaults={
            "failures": 5,
            "openings": 1,
            "opened_at": timezone.now(),
            "open_until": timezone.now() + timedelta(hours=1),
        },
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO notifications_notification (id, order_id, kind, context, event, occasion,
                channel, recipient, language, gateway, started_at, ring_after, error)
            SELECT gen_random_uuid(), id, 'order_shipped.email', '{}', 'order_shipped', 'bench',
                'email', 'parked@example.org', 'en', 'email', now(), '9999-01-01 00:00:00+00',
                'connection refused'
            FROM orders_order ORDER BY placed_at DESC LIMIT %s
            """,
            [count],
        )
    vacuum()


def vacuum() -> None:
    """Vacuum and analyze, as autovacuum does in a shop."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")


def fill_prints(count: int) -> None:
    """Prepare an upload of so many orders for printing, a day after they were placed."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO media_jobs_mediajob (id, order_id, kind, context, source, recipe, status,
                created_at, finished_at)
            SELECT gen_random_uuid(), id, 'print', '{}', 'upload:' || id, 'print_picture', 'done',
                placed_at, placed_at + interval '1 day'
            FROM orders_order ORDER BY placed_at LIMIT %s
            """,
            [count],
        )


def count_all_quarters() -> None:
    """Let the sweep of quarters go through all orders, as a shop's relay has done.

    It goes on for some seconds at a time, and says None of quarters that were right already.
    """
    while not Sweep.objects.filter(name=COUNT_QUARTERS, done_until__isnull=False).exists():
        count_quarters()


def announce(count: int) -> Announcement:
    """Announce something to so many readers, none of whom was written to yet."""
    now = timezone.now()
    announcement = Announcement.objects.create(
        subject_en="Bench", text_en="Bench", status=Announcement.Status.SENDING, send_at=now
    )
    Announcement.objects.update(queued_at=Now(), recipients=count)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO notifications_notification (id, kind, context, event, occasion, channel,
                recipient, language)
            SELECT gen_random_uuid(), 'announcement.email', '{}', 'announcement', %s, 'email',
                'reader' || i || '@example.org', 'en'
            FROM generate_series(1, %s) AS i
            """,
            [str(announcement.pk), count],
        )
    vacuum()
    return announcement


def spoil_sales(count: int) -> int:
    """Count too much of the sales of some orders, all over the history; return how many entries."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE orders_salesentry SET units = units + 1 WHERE (order_id, product_id) IN (
                SELECT order_id, product_id FROM orders_salesentry ORDER BY order_id LIMIT %s)
            """,
            [count],
        )
        return cursor.rowcount
