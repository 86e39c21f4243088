from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("notifications", "0016_mend_recipients")]

    operations = [
        ValidateConstraint(model_name="notification", name="notification_email_has_the_one_form")
    ]
