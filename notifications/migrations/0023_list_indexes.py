"""The desk's list of messages, its filters, and the search for a recipient.

What a message pays: an entry in `newest` each time its row is written anew (queued, running, done)
and in `not_done` until it is done, both at the end of the index: about 0.1 kB an entry. One in
`recipient`, on a page of its own: the messages of an order share it. The others are for the values
that few messages have. `error_list` takes the place of `same_error`, which is dropped when it is
there.
"""

import django.contrib.postgres.indexes
import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its rows

    dependencies = [
        ("notifications", "0022_prunable"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='notification',
            index=models.Index(fields=['-created_at', '-id'], name='notification_newest'),
        ),
        AddIndexConcurrently(
            model_name='notification',
            index=models.Index(condition=models.Q(('status', 'done'), _negated=True), fields=['status', '-created_at', '-id'], name='notification_not_done'),
        ),
        AddIndexConcurrently(
            model_name='notification',
            index=models.Index(condition=models.Q(('status__in', ['failed', 'unknown', 'queued']), models.Q(('error', ''), _negated=True)), fields=['same_error', '-created_at', '-id'], name='notification_error_list'),
        ),
        AddIndexConcurrently(
            model_name='notification',
            index=models.Index(condition=models.Q(('channel', 'sms')), fields=['-created_at', '-id'], name='notification_sms'),
        ),
        AddIndexConcurrently(
            model_name='notification',
            index=models.Index(condition=models.Q(('event', 'order_placed'), _negated=True), fields=['event', '-created_at', '-id'], name='notification_event_list'),
        ),
        AddIndexConcurrently(
            model_name='notification',
            index=models.Index(condition=models.Q(('delivery', ''), _negated=True), fields=['delivery', '-created_at', '-id'], name='notification_delivery_list'),
        ),
        AddIndexConcurrently(
            model_name='notification',
            index=models.Index(condition=models.Q(('maybe_duplicate', True)), fields=['-created_at', '-id'], name='notification_maybe_twice'),
        ),
        AddIndexConcurrently(
            model_name='notification',
            index=models.Index(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Lower('recipient'), name='text_pattern_ops'), name='notification_recipient'),
        ),
        RemoveIndexConcurrently(
            model_name='notification',
            name='notification_same_error',
        ),
    ]
