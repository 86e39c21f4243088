"""How long the oldest due job waits: `/metrics` asks at each scrape."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its tables

    dependencies = [("project", "0014_time_ordered_keys")]

    operations = [
        AddIndexConcurrently(
            model_name="manualrun",
            index=models.Index(
                condition=models.Q(("status", "queued")), fields=["run_after"], name="manualrun_due"
            ),
        ),
    ]
