"""Build the list's index by time anew, ascending: see the migration of this name in `orders`."""

from django.db import migrations, models

from project.database.rebuilding import rebuilt


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its tables

    dependencies = [("project", "0024_job_decisions")]

    operations = [
        *rebuilt("manualrun", models.Index(fields=["created_at", "id"], name="manualrun_newest")),
    ]
