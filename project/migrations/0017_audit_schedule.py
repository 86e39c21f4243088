"""The audit of every five minutes checks what changed; the one of everything runs at night."""

from django.db import migrations
from django.db.models import Value
from django.db.models.functions import Replace


def create_schedule(apps, schema_editor):
    crontab = apps.get_model("django_celery_beat", "CrontabSchedule")
    task = apps.get_model("django_celery_beat", "PeriodicTask")
    at_night, _ = crontab.objects.get_or_create(minute="0", hour="4")
    task.objects.get_or_create(
        name="Audit of everything",
        defaults={
            "task": "project.tasks.audit_all",
            "crontab": at_night,
            "queue": "default",
            "description": "Check every invariant: stock, orders, sales, jobs.",
        },
    )
    recent = task.objects.filter(task="project.tasks.audit")
    # A worker that was away must not find a queue of audits: the newest is enough.
    recent.filter(expires=None, expire_seconds=None).update(expire_seconds=240)
    recent.update(
        description=Replace(
            "description",
            Value("Check every invariant: stock, orders, sales, jobs."),
            Value("Check what changed since the last clean audit."),
        )
    )


class Migration(migrations.Migration):
    dependencies = [
        ("project", "0016_audit_scopes"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(create_schedule, migrations.RunPython.noop)]
