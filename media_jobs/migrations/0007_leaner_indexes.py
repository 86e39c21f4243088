"""Index assets where there is one: an order's jobs have none."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

OLD = "media_jobs_mediajob_asset_id_0c62f593"


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its jobs

    dependencies = [("media_jobs", "0006_time_ordered_keys")]

    operations = [
        AddIndexConcurrently(
            model_name="mediajob",
            index=models.Index(
                condition=models.Q(("asset__isnull", False)),
                fields=["asset"],
                name="mediajob_asset",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="mediajob",
                    name="asset",
                    field=models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="jobs",
                        to="media_jobs.asset",
                        verbose_name="asset",
                    ),
                ),
            ],
            database_operations=[
                migrations.RunSQL(
                    f'DROP INDEX CONCURRENTLY IF EXISTS "{OLD}"',
                    f'CREATE INDEX CONCURRENTLY IF NOT EXISTS "{OLD}"'
                    " ON media_jobs_mediajob (asset_id)",
                ),
            ],
        ),
    ]
