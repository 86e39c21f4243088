"""The performance run is in the schedule, and off: an operator runs it, or gives it its hour."""

from django.conf import settings
from django.db import migrations


def create_schedule(apps, schema_editor):
    crontab = apps.get_model("django_celery_beat", "CrontabSchedule")
    task = apps.get_model("django_celery_beat", "PeriodicTask")
    at_night, _ = crontab.objects.get_or_create(
        minute="30", hour="4", timezone=settings.TIME_ZONE
    )
    task.objects.get_or_create(
        name="Performance run",
        defaults={
            "task": "orders.tasks.performance",
            "crontab": at_night,
            "queue": "default",
            "enabled": False,
            # A worker that was away must not measure the shop by day.
            "expire_seconds": 600,
            "description": "Place synthetic orders in tables of their own for a minute, and measure"
            " how long the shop takes.",
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("project", "0026_performance_runs"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(create_schedule, migrations.RunPython.noop)]
