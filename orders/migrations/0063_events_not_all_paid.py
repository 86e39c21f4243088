"""The index of parts of payments has undone payments, too, in the order of the table.

A placed order has a payment exactly if it has one of these events, so the desk needn't look into
the payments of each. Placing an order writes nothing to it.
"""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its tables

    dependencies = [("orders", "0062_cart_keys_by_time")]

    operations = [
        AddIndexConcurrently(
            "orderevent",
            models.Index(
                fields=["kind"],
                name="event_not_all_paid",
                condition=Q(kind__in=["part_paid", "payment_undone"]),
                include=["order"],
            ),
        ),
        RemoveIndexConcurrently("orderevent", "event_part_paid"),
    ]
