"""The movements that have a reason by their time, for the desk's search: none of an order's."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its movements

    dependencies = [("orders", "0045_filter_indexes")]

    operations = [
        AddIndexConcurrently(
            model_name="stockmovement",
            index=models.Index(
                condition=Q(kind__in=["correction", "receipt", "count"]),
                fields=["-created_at", "-id"],
                name="movement_with_reason",
            ),
        ),
    ]
