from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0050_quotes")]

    operations = [
        ValidateConstraint(model_name="order", name="order_delivery_is_not_negative"),
        ValidateConstraint(model_name="order", name="order_delivery_has_its_quote"),
    ]
