"""Build the list's index by time anew, ascending: see the orders' migration of this name."""

from django.db import migrations, models

from project.database.rebuilding import rebuilt


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its tables

    dependencies = [("media_jobs", "0012_covering_job_indexes")]

    operations = [
        *rebuilt("mediajob", models.Index(fields=["created_at", "id"], name="mediajob_newest")),
    ]
