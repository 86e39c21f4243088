"""Validate the checks, and index the worklist beside a running shop."""

from django.contrib.postgres.operations import AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0022_earlier_refunds")]

    operations = [
        ValidateConstraint(model_name="payment", name="payment_is_negative_if_it_undoes_one"),
        ValidateConstraint(model_name="refund", name="refund_is_paid_out_at_a_time"),
        AddIndexConcurrently(
            model_name="refund",
            index=models.Index(
                models.F("created_at"),
                models.F("id"),
                condition=models.Q(("status", "owed")),
                name="refund_owed",
            ),
        ),
    ]
