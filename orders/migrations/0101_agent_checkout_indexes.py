"""The indexes of agents' checkouts, for the desk: a platform's figures, and a buyer's address."""

import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.fields.json import KT
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its agents' checkouts

    dependencies = [("orders", "0100_validate_blocked_platforms")]

    operations = [
        AddIndexConcurrently(
            "agentcheckout",
            models.Index(
                fields=["platform", "stage", "changed_at"], name="agent_checkout_of_platform"
            ),
        ),
        AddIndexConcurrently(
            "agentcheckout",
            models.Index(
                django.contrib.postgres.indexes.OpClass(
                    Lower(KT("wanted__buyer__email")), name="text_pattern_ops"
                ),
                name="agent_checkout_of_buyer",
            ),
        ),
    ]
