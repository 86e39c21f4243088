"""The indexes of open and of troubled jobs hold their orders' ids: the desk lists these orders."""

import django.db.models.lookups
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its jobs

    dependencies = [
        ("orders", "0043_sales_quarters"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='deskjob',
            index=models.Index(django.db.models.lookups.IsNull(models.F('order_id'), True), models.F('ring_after'), condition=models.Q(('status__in', ['queued', 'running'])), include=('order_id',), name='deskjob_going_on'),
        ),
        AddIndexConcurrently(
            model_name='deskjob',
            index=models.Index(condition=models.Q(('status__in', ['failed', 'unknown'])), fields=['finished_at'], include=('order_id',), name='deskjob_trouble'),
        ),
        RemoveIndexConcurrently(model_name='deskjob', name='deskjob_open'),
        RemoveIndexConcurrently(model_name='deskjob', name='deskjob_troubled'),
    ]
