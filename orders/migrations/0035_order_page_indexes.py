"""Index the last parcel and the settled refunds, beside a running shop."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0034_order_notes")]

    operations = [
        AddIndexConcurrently(
            model_name="orderevent",
            index=models.Index(
                condition=models.Q(("kind", "shipped")), fields=["id"], name="event_shipped"
            ),
        ),
        AddIndexConcurrently(
            model_name="refund",
            index=models.Index(
                fields=["status", "-created_at", "-id"], name="refund_by_status"
            ),
        ),
    ]
