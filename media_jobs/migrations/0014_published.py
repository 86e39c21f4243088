"""A column for what an asset shows, so that pages read neither jobs nor renditions."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("media_jobs", "0013_ascending_indexes")]

    operations = [
        migrations.AddField("asset", "published", models.JSONField(editable=False, null=True)),
    ]
