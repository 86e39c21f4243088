"""Hold the one form of e-mail addresses by CHECKs. 0019 mends the rows, 0020 validates them."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

from project.email_addresses import STORED


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0017_confirmed_phones_are_known"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]

    operations = [
        AddConstraintNotValid(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(("email__regex", STORED)), name="order_email_has_the_one_form"
            ),
        ),
        AddConstraintNotValid(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("email", ""), ("email__regex", STORED), _connector="OR"),
                name="user_email_has_the_one_form",
            ),
        ),
        # allauth's table: its model can't name our constraint. Announcements read it in one
        # statement, which a wrong row would stop.
        migrations.RunSQL(
            f"""
            ALTER TABLE account_emailaddress
                ADD CONSTRAINT email_address_has_the_one_form CHECK (email ~ '{STORED}') NOT VALID
            """,
            "ALTER TABLE account_emailaddress DROP CONSTRAINT email_address_has_the_one_form",
        ),
    ]
