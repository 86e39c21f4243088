"""A job has the span in which it was queued (docs/monitoring.md, Traces)."""

from django.db import migrations, models

import project.tracing.spans


class Migration(migrations.Migration):
    dependencies = [("project", "0028_backup_schedule")]

    operations = [
        migrations.AddField(
            model_name="manualrun",
            name="traceparent",
            field=models.CharField(
                blank=True,
                db_default="",
                default=project.tracing.spans.traceparent,
                editable=False,
                max_length=55,
                verbose_name="trace",
            ),
        ),
    ]
