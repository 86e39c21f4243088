"""The table of the default cache, as `createcachetable` makes it."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("project", "0004_daily_schedule")]

    operations = [
        migrations.RunSQL(
            """
            CREATE TABLE project_cache (
                cache_key varchar(255) NOT NULL PRIMARY KEY,
                value text NOT NULL,
                expires timestamp with time zone NOT NULL
            );
            CREATE INDEX project_cache_expires ON project_cache (expires);
            """,
            "DROP TABLE project_cache",
        )
    ]
