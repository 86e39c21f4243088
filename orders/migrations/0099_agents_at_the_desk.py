"""What the desk shows and decides of agents: first and last seen, blocked platforms, used links."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("orders", "0098_agent_orders_index")]

    operations = [
        # The default comes after the column: of rows that are there already, nobody knows the time.
        migrations.AddField(
            "agentplatform",
            "first_seen_at",
            models.DateTimeField(null=True, verbose_name="first seen"),
        ),
        migrations.AlterField(
            "agentplatform",
            "first_seen_at",
            models.DateTimeField(db_default=Now(), null=True, verbose_name="first seen"),
        ),
        migrations.AddField(
            "agentplatform",
            "blocked_at",
            models.DateTimeField(blank=True, null=True, verbose_name="blocked"),
        ),
        migrations.AddField(
            "agentplatform",
            "block_reason",
            models.CharField(
                blank=True, db_default="", default="", max_length=200, verbose_name="reason"
            ),
        ),
        AddConstraintNotValid(
            "agentplatform",
            models.CheckConstraint(
                condition=models.Q(("block_reason", ""), ("blocked_at", None))
                | models.Q(
                    ("blocked_at__isnull", False),
                    models.Q(("block_reason", ""), _negated=True),
                ),
                name="agent_platform_blocked_with_a_reason",
            ),
        ),
        migrations.AddField(
            "agentlink",
            "used_at",
            models.DateTimeField(null=True, verbose_name="last used"),
        ),
        migrations.AlterModelOptions(
            "agentlink",
            {"verbose_name": "linked assistant", "verbose_name_plural": "linked assistants"},
        ),
        migrations.AlterModelOptions(
            "agentcheckout",
            {"verbose_name": "agent checkout", "verbose_name_plural": "agent checkouts"},
        ),
    ]
