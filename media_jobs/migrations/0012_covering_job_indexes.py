"""The indexes of open and of troubled jobs hold their orders' ids: the desk lists these orders."""

import django.db.models.lookups
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its jobs

    dependencies = [
        ("media_jobs", "0011_list_indexes"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='mediajob',
            index=models.Index(django.db.models.lookups.IsNull(models.F('order_id'), True), models.F('ring_after'), condition=models.Q(('status__in', ['queued', 'running'])), include=('order_id',), name='mediajob_going_on'),
        ),
        AddIndexConcurrently(
            model_name='mediajob',
            index=models.Index(condition=models.Q(('status__in', ['failed', 'unknown'])), fields=['finished_at'], include=('order_id',), name='mediajob_trouble'),
        ),
        RemoveIndexConcurrently(model_name='mediajob', name='mediajob_open'),
        RemoveIndexConcurrently(model_name='mediajob', name='mediajob_troubled'),
    ]
