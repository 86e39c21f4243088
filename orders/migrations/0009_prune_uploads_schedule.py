"""What shoppers upload and don't order is deleted daily."""

from django.db import migrations


def create_schedule(apps, schema_editor):
    crontab = apps.get_model("django_celery_beat", "CrontabSchedule")
    task = apps.get_model("django_celery_beat", "PeriodicTask")
    at_night, _ = crontab.objects.get_or_create(minute="30", hour="3")
    task.objects.get_or_create(
        name="Prune uploads",
        defaults={
            "task": "orders.tasks.prune_uploads",
            "crontab": at_night,
            "queue": "default",
            "description": "Delete what shoppers uploaded and didn't order within a day.",
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0008_uploads"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(create_schedule, migrations.RunPython.noop)]
