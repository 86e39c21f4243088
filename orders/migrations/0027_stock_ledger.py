"""A product's ledger by one index, which takes the place of the foreign key's.

An order's movement costs as much as before: one entry. The other index holds no order's movement.
"""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its movements

    dependencies = [("orders", "0026_validate_stock_kinds")]

    operations = [
        AddIndexConcurrently(
            model_name="stockmovement",
            index=models.Index(fields=["product", "-id"], name="movement_ledger"),
        ),
        AddIndexConcurrently(
            model_name="stockmovement",
            index=models.Index(
                condition=Q(kind__in=["correction", "receipt", "count"]),
                fields=["product", "-id"],
                name="movement_by_hand",
            ),
        ),
        # AlterField would drop the foreign key, too, and check all rows when it makes it again.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="stockmovement",
                    name="product",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="movements",
                        to="orders.product",
                        verbose_name="product",
                    ),
                ),
            ],
            database_operations=[
                migrations.RunSQL(
                    "DROP INDEX CONCURRENTLY IF EXISTS orders_stockmovement_product_id_b6c96ab4",
                    "CREATE INDEX CONCURRENTLY IF NOT EXISTS"
                    " orders_stockmovement_product_id_b6c96ab4 ON orders_stockmovement (product_id)",
                ),
            ],
        ),
    ]
