"""Forget the column `html` of messages. The processes of the version before still write it, so the
database keeps it, with its default, until a later version drops it.
"""

from django.contrib.postgres.operations import RemoveIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("notifications", "0028_move_html")]

    operations = [
        RemoveIndexConcurrently("notification", "notification_html"),
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.RemoveField("notification", "html")]
        ),
    ]
