"""Webhook endpoints: how often, and since when, each refuses; and when it said that it is gone."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("notifications", "0032_webhooks")]

    operations = [
        migrations.AddField(
            model_name="webhookendpoint",
            name="refusals",
            field=models.PositiveIntegerField(
                db_default=0, default=0, editable=False, verbose_name="refusals in a row"
            ),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="refusing_since",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="refuses since"
            ),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="refusal",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                max_length=500,
                verbose_name="last refusal",
            ),
        ),
        migrations.AddField(
            model_name="webhookendpoint",
            name="gone_at",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="gone since"
            ),
        ),
        migrations.AlterField(  # its help alone
            model_name="webhookendpoint",
            name="is_thin",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Only numbers and an address to read the rest from: no personal data.",
                verbose_name="thin payloads",
            ),
        ),
        AddConstraintNotValid(
            model_name="webhookendpoint",
            constraint=models.CheckConstraint(
                condition=Q(refusals=0, refusing_since=None)
                | Q(refusals__gt=0, refusing_since__isnull=False),
                name="webhook_endpoint_refuses_since_some_time",
            ),
        ),
    ]
