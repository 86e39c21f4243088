"""The indexes of messages that failed, or came back, hold what the desk's lists read of them.

A list that is filtered says how many of its messages failed; without the columns in the index each
of these was read for it. A message that is sent and delivered has no entry in any of the four.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

from project.database.rebuilding import rebuilt


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its tables

    dependencies = [("notifications", "0029_html_unused")]

    operations = [
        *rebuilt(
            "notification",
            models.Index(
                fields=["finished_at"],
                name="notification_trouble",
                condition=Q(status__in=["failed", "unknown"]),
                include=[
                    *("order_id", "status", "created_at", "id", "channel", "event"),
                    *("delivery", "maybe_duplicate", "same_error"),
                ],
            ),
        ),
        *rebuilt(
            "notification",
            models.Index(
                fields=["same_error", "-created_at", "-id"],
                name="notification_error_list",
                condition=Q(status__in=["failed", "unknown", "queued"]) & ~Q(error=""),
                include=["status"],
            ),
        ),
        *rebuilt(
            "notification",
            models.Index(
                fields=["created_at", "id"],
                name="notification_maybe_twice",
                condition=Q(maybe_duplicate=True),
                include=["status"],
            ),
        ),
        AddIndexConcurrently(
            "notification",
            models.Index(
                fields=["delivery"],
                name="notification_came_back",
                condition=Q(delivery__in=["bounced", "complained"]),
                include=["recipient"],
            ),
        ),
    ]
