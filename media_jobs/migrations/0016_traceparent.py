"""A job has the span in which it was queued (docs/monitoring.md, Traces)."""

from django.db import migrations, models

import project.tracing.spans


class Migration(migrations.Migration):
    dependencies = [("media_jobs", "0015_publish_renditions")]

    operations = [
        migrations.AddField(
            model_name="mediajob",
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
