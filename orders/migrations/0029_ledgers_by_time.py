from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its orders

    dependencies = [
        ('orders', '0028_audited_balances'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='refund',
            index=BrinIndex(models.F('created_at'), autosummarize=True, name='refund_by_time'),
        ),
        AddIndexConcurrently(
            model_name='stockmovement',
            index=BrinIndex(models.F('created_at'), autosummarize=True, name='movement_by_time'),
        ),
    ]
