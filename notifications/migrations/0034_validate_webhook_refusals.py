"""Reads the endpoints for the constraint of the migration before, without holding up anybody."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("notifications", "0033_webhook_refusals")]

    operations = [
        ValidateConstraint("webhookendpoint", name="webhook_endpoint_refuses_since_some_time"),
    ]
