"""Orders that operators make for customers: their source, and the index of the list's filter."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its orders

    dependencies = [("orders", "0048_ascending_indexes")]

    operations = [
        migrations.AlterField(
            model_name="order",
            name="door",
            field=models.CharField(
                choices=[("shop", "Shop"), ("api", "API"), ("desk", "Desk")],
                max_length=4,
                verbose_name="door",
            ),
        ),
        AddIndexConcurrently(
            model_name="order",
            index=models.Index(
                condition=Q(door="desk"), fields=["placed_at"], name="order_by_desk"
            ),
        ),
    ]
