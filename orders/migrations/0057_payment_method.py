"""How the customer wants to pay."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0056_fill_popularity")]

    operations = [
        # A constant default is a change of the catalogue only: PostgreSQL rewrites no row.
        migrations.AddField(
            model_name="order",
            name="payment_method",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=20,
                verbose_name="payment method",
            ),
        ),
        # The next migration validates it, under a lock that lets orders be placed.
        AddConstraintNotValid(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("payment_method", "pickup"), _negated=True),
                    ("address", {}),
                    _connector="OR",
                ),
                name="order_paid_at_pickup_has_no_address",
            ),
        ),
    ]
