"""Index users where there is one: most orders, and all rows of placing, have none."""

from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

import orders.models.order


def drop(table: str, index: str) -> migrations.RunSQL:
    """Drop the index that Django made for a foreign key to the user, beside a running shop."""
    return migrations.RunSQL(
        f'DROP INDEX CONCURRENTLY IF EXISTS "{index}"',
        f'CREATE INDEX CONCURRENTLY IF NOT EXISTS "{index}" ON {table} (user_id)',
    )


def made_by() -> models.ForeignKey:
    return models.ForeignKey(
        blank=True,
        db_index=False,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
        verbose_name="by",
    )


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its tables

    dependencies = [("orders", "0024_time_ordered_keys")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="order",
                    name="user",
                    field=models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=orders.models.order.keep_order,
                        related_name="orders",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                migrations.AlterField(model_name="orderevent", name="user", field=made_by()),
                migrations.AlterField(model_name="stockmovement", name="user", field=made_by()),
            ],
        ),
        AddIndexConcurrently(
            model_name="order",
            index=models.Index(
                condition=models.Q(("user__isnull", False)), fields=["user"], name="order_user"
            ),
        ),
        AddIndexConcurrently(
            model_name="orderevent",
            index=models.Index(
                condition=models.Q(("user__isnull", False)), fields=["user"], name="event_user"
            ),
        ),
        AddIndexConcurrently(
            model_name="stockmovement",
            index=models.Index(
                condition=models.Q(("user__isnull", False)), fields=["user"], name="movement_user"
            ),
        ),
        drop("orders_order", "orders_order_user_id_e9b59eb1"),
        drop("orders_orderevent", "orders_orderevent_user_id_0a114380"),
        drop("orders_stockmovement", "orders_stockmovement_user_id_5a23e7d4"),
    ]
