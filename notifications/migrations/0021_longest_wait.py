"""How long the oldest due job waits: `/metrics` asks at each scrape."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its tables

    dependencies = [("notifications", "0020_storage_parameters")]

    operations = [
        AddIndexConcurrently(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("status", "queued")), fields=["run_after"], name="notification_due"
            ),
        ),
    ]
