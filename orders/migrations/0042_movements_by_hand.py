"""The newest movement that a person wrote for a product. No order's movement is in the index."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its movements

    dependencies = [("orders", "0041_validate_stock_kinds")]

    operations = [
        AddIndexConcurrently(
            model_name="stockmovement",
            index=models.Index(
                condition=Q(kind__in=["correction", "receipt", "count"]),
                fields=["product", "-id"],
                name="movement_by_hand",
            ),
        ),
    ]
