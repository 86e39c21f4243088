"""How long the oldest due job waits: `/metrics` asks at each scrape."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its tables

    dependencies = [("media_jobs", "0008_storage_parameters")]

    operations = [
        AddIndexConcurrently(
            model_name="mediajob",
            index=models.Index(
                condition=models.Q(("status", "queued")), fields=["run_after"], name="mediajob_due"
            ),
        ),
    ]
