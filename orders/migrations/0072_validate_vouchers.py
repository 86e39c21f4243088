"""Check the orders of before vouchers against the constraints of the migration before this one.

In a transaction of its own: it reads the tables, but locks out nobody.
"""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0071_vouchers")]

    operations = [
        ValidateConstraint("order", "order_total_is_its_parts"),
        ValidateConstraint("order", "order_discount_is_of_its_items"),
        ValidateConstraint("orderline", "line_discount_is_of_its_total"),
    ]
