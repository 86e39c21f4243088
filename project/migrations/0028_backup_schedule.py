"""The backup is in the schedule, and off: an operator names its folder and switches it on."""

from django.conf import settings
from django.db import migrations


def create_schedule(apps, schema_editor):
    crontab = apps.get_model("django_celery_beat", "CrontabSchedule")
    task = apps.get_model("django_celery_beat", "PeriodicTask")
    at_night, _ = crontab.objects.get_or_create(
        minute="15", hour="2", timezone=settings.TIME_ZONE
    )
    task.objects.get_or_create(
        name="Backup",
        defaults={
            "task": "project.tasks.backup",
            "crontab": at_night,
            "queue": "default",
            "enabled": False,
            "description": "Back up database and media into BACKUP_FOLDER, and remove the oldest"
            " backups.",
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("project", "0027_performance_schedule"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(create_schedule, migrations.RunPython.noop)]
