"""Daily work is looked after every few minutes; the sweep's mark is found by its new name."""

from django.db import migrations


def create_schedule(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    task = apps.get_model("django_celery_beat", "PeriodicTask")
    every_five_minutes, _ = interval.objects.get_or_create(every=5, period="minutes")
    task.objects.get_or_create(
        name="Catch up",
        defaults={
            "task": "project.tasks.catch_up",
            "interval": every_five_minutes,
            "queue": "default",
            "description": "Do the daily work whose own time was missed.",
        },
    )


class Migration(migrations.Migration):
    dependencies = [
        ("project", "0003_daily_runs"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [
        migrations.RunPython(create_schedule, migrations.RunPython.noop),
        migrations.RunSQL(
            "UPDATE project_sweep SET name = 'settle_due' WHERE name = 'settle'",
            "UPDATE project_sweep SET name = 'settle' WHERE name = 'settle_due'",
        ),
    ]
