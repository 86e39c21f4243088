"""The indexes of open and of troubled jobs hold their orders' ids: the desk lists these orders."""

import django.db.models.lookups
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its jobs

    dependencies = [
        ("project", "0021_queues"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='manualrun',
            index=models.Index(django.db.models.lookups.IsNull(models.F('order_id'), True), models.F('ring_after'), condition=models.Q(('status__in', ['queued', 'running'])), include=('order_id',), name='manualrun_going_on'),
        ),
        AddIndexConcurrently(
            model_name='manualrun',
            index=models.Index(condition=models.Q(('status__in', ['failed', 'unknown'])), fields=['finished_at'], include=('order_id',), name='manualrun_trouble'),
        ),
        RemoveIndexConcurrently(model_name='manualrun', name='manualrun_open'),
        RemoveIndexConcurrently(model_name='manualrun', name='manualrun_troubled'),
    ]
