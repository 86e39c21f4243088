"""Build the lists' indexes by time anew, ascending: see the orders' migration of this name."""

from django.db import migrations, models
from django.db.models import Q

from project.database.rebuilding import rebuilt


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its tables

    dependencies = [("notifications", "0025_pause_reason")]

    operations = [
        *rebuilt(
            "notification",
            models.Index(fields=["created_at", "id"], name="notification_newest"),
        ),
        *rebuilt(
            "notification",
            models.Index(
                fields=["created_at", "id"], name="notification_sms", condition=Q(channel="sms")
            ),
        ),
        *rebuilt(
            "notification",
            models.Index(
                fields=["created_at", "id"],
                name="notification_maybe_twice",
                condition=Q(maybe_duplicate=True),
            ),
        ),
    ]
