"""The indexes of open and of troubled jobs hold their orders' ids: the desk lists these orders."""

import django.db.models.functions.text
import django.db.models.lookups
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its jobs

    dependencies = [
        ("notifications", "0023_list_indexes"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='notification',
            index=models.Index(django.db.models.lookups.IsNull(models.F('order_id'), True), models.F('ring_after'), condition=models.Q(('status__in', ['queued', 'running'])), include=('order_id',), name='notification_going_on'),
        ),
        AddIndexConcurrently(
            model_name='notification',
            index=models.Index(condition=models.Q(('status__in', ['failed', 'unknown'])), fields=['finished_at'], include=('order_id',), name='notification_trouble'),
        ),
        AddIndexConcurrently(
            model_name='notification',
            index=models.Index(django.db.models.functions.text.Lower('recipient'), condition=models.Q(('delivery__in', ['bounced', 'complained'])), include=('recipient',), name='notification_returned'),
        ),
        RemoveIndexConcurrently(model_name='notification', name='notification_open'),
        RemoveIndexConcurrently(model_name='notification', name='notification_troubled'),
        RemoveIndexConcurrently(model_name='notification', name='notification_bounced'),
    ]
