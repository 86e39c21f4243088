"""Low stock, the daily report and the expiry of unpaid orders are in the schedule, for all to see."""

from django.conf import settings
from django.db import migrations


def create_schedule(apps, schema_editor):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    crontab = apps.get_model("django_celery_beat", "CrontabSchedule")
    task = apps.get_model("django_celery_beat", "PeriodicTask")
    every_ten_minutes, _ = interval.objects.get_or_create(every=10, period="minutes")
    hourly, _ = interval.objects.get_or_create(every=1, period="hours")
    in_the_morning, _ = crontab.objects.get_or_create(
        minute="0", hour="6", timezone=settings.TIME_ZONE
    )
    entries = {
        "Unpaid orders": (
            "orders.tasks.expire",
            {"interval": hourly},
            "Cancel orders that nobody paid in time. The relay looks every 20 seconds by itself"
            " while this is on and PAYMENT_DUE_HOURS is set.",
        ),
        "Low stock": (
            "orders.tasks.low_stock",
            {"interval": every_ten_minutes},
            "Tell the staff which products have fallen to their threshold.",
        ),
        "Daily report": (
            "orders.tasks.daily_report",
            {"crontab": in_the_morning},
            "Mail the figures of the day before to the staff.",
        ),
    }
    for name, (path, schedule, description) in entries.items():
        defaults = {"task": path, "queue": "default", "description": description, **schedule}
        task.objects.get_or_create(name=name, defaults=defaults)


class Migration(migrations.Migration):
    dependencies = [
        ("project", "0006_manual_runs"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(create_schedule, migrations.RunPython.noop)]
