from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0057_payment_method")]

    operations = [
        ValidateConstraint(model_name="order", name="order_paid_at_pickup_has_no_address"),
    ]
