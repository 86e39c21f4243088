"""For the figures of the desk's first page, the daily report and `/metrics`."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its tables

    dependencies = [("orders", "0026_storage_parameters")]

    operations = [
        AddIndexConcurrently(
            model_name="deskjob",
            index=models.Index(
                condition=models.Q(("status", "queued")), fields=["run_after"], name="deskjob_due"
            ),
        ),
    ]
