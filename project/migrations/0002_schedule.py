"""The schedule that a new shop starts with. Operators change it in the admin."""

from django.db import migrations


def create_schedule(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    crontab = apps.get_model("django_celery_beat", "CrontabSchedule")
    task = apps.get_model("django_celery_beat", "PeriodicTask")
    every_five_minutes, _ = interval.objects.get_or_create(every=5, period="minutes")
    at_night, _ = crontab.objects.get_or_create(minute="30", hour="3")
    task.objects.get_or_create(
        name="Audit",
        defaults={
            "task": "project.tasks.audit",
            "interval": every_five_minutes,
            "queue": "default",
            "description": "Check every invariant: stock, orders, sales, jobs.",
        },
    )
    task.objects.get_or_create(
        name="Prune",
        defaults={
            "task": "project.tasks.prune",
            "crontab": at_night,
            "queue": "default",
            "description": "Delete old task results, sessions, audits and finished jobs.",
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("project", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(create_schedule, migrations.RunPython.noop)]
