"""Receipts and counts are kinds of their own beside corrections. No row is rewritten."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("orders", "0039_order_permissions")]

    operations = [
        migrations.AlterField(
            model_name="stockmovement",
            name="kind",
            field=models.CharField(
                choices=[
                    ("order", "Order"),
                    ("cancel", "Cancelled order"),
                    ("refund", "Refunded goods"),
                    ("correction", "Correction"),
                    ("receipt", "Receipt"),
                    ("count", "Count"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.RemoveConstraint(model_name="stockmovement", name="movement_fits_its_kind"),
        migrations.RemoveConstraint(model_name="stockmovement", name="correction_has_a_reason"),
        # The next migration validates them, under a lock that lets orders be placed.
        AddConstraintNotValid(
            model_name="stockmovement",
            constraint=models.CheckConstraint(
                condition=Q(kind="order", order__isnull=False, refund__isnull=True, quantity__lt=0)
                | Q(kind="cancel", order__isnull=False, refund__isnull=True, quantity__gt=0)
                | Q(kind="refund", order__isnull=False, refund__isnull=False, quantity__gt=0)
                | Q(kind="receipt", order__isnull=True, refund__isnull=True, quantity__gt=0)
                | Q(kind__in=["correction", "count"], order__isnull=True, refund__isnull=True),
                name="movement_fits_its_kind",
            ),
        ),
        AddConstraintNotValid(
            model_name="stockmovement",
            constraint=models.CheckConstraint(
                condition=~Q(kind__in=["correction", "receipt", "count"], reason=""),
                name="correction_has_a_reason",
            ),
        ),
    ]
