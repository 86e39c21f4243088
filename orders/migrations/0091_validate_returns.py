from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0090_returns")]

    operations = [
        ValidateConstraint(model_name="refundline", name="refund_line_restocks_its_units")
    ]
