"""Hold the one form of e-mails' recipients by a CHECK. 0016 mends the rows, 0017 validates them."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

from project.email_addresses import STORED


class Migration(migrations.Migration):
    dependencies = [("notifications", "0014_known_numbers")]

    operations = [
        AddConstraintNotValid(
            model_name="notification",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("channel", "email"), _negated=True),
                    ("recipient__regex", STORED),
                    _connector="OR",
                ),
                name="notification_email_has_the_one_form",
            ),
        ),
    ]
