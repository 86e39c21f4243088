"""Drop the index of messages by order: the one of `one_notification_per_event` begins with it."""

from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False  # beside a running shop, without locking its jobs

    dependencies = [("notifications", "0018_time_ordered_keys")]

    operations = [
        RemoveIndexConcurrently(model_name="notification", name="notification_order"),
    ]
