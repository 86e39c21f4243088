"""The desk's list of media jobs and its filters (`project.jobs.model`, `media_jobs.models`).

What an order pays, of 60 kB of WAL: an entry in `newest` and in `not_done` when its job is inserted
and claimed, another in `newest` when it is done. Both grow at their end: about 0.1 kB an entry.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its rows

    dependencies = [
        ("media_jobs", "0010_prunable"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='mediajob',
            index=models.Index(fields=['-created_at', '-id'], name='mediajob_newest'),
        ),
        AddIndexConcurrently(
            model_name='mediajob',
            index=models.Index(condition=models.Q(('status', 'done'), _negated=True), fields=['status', '-created_at', '-id'], name='mediajob_not_done'),
        ),
        AddIndexConcurrently(
            model_name='mediajob',
            index=models.Index(condition=models.Q(('recipe', 'pickup_pass'), _negated=True), fields=['recipe', '-created_at', '-id'], name='mediajob_recipe_list'),
        ),
    ]
