"""The index of agents' orders, for the desk's filter by source."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its orders

    dependencies = [("orders", "0097_agents")]

    operations = [
        AddIndexConcurrently(
            "order",
            models.Index(
                condition=models.Q(("door", "ucp")), fields=["placed_at"], name="order_by_agent"
            ),
        ),
    ]
