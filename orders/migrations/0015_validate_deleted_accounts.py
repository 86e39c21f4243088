from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0014_deleted_accounts")]

    operations = [
        ValidateConstraint(model_name="order", name="order_of_a_deleted_account_has_no_user")
    ]
