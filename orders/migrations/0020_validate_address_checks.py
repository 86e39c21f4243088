from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0019_escape_odd_addresses")]

    operations = [
        ValidateConstraint(model_name="order", name="order_email_has_the_one_form"),
        ValidateConstraint(model_name="user", name="user_email_has_the_one_form"),
        migrations.RunSQL(
            """
            ALTER TABLE account_emailaddress
                VALIDATE CONSTRAINT email_address_has_the_one_form
            """,
            migrations.RunSQL.noop,
        ),
    ]
