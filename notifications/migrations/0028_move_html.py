"""Move the HTML of messages to its table, a thousand at a time beside the running shop."""

from typing import Any

from django.db import migrations

BATCH_SIZE = 1000
FINISHED = "status IN ('done', 'cancelled') AND html <> ''"
"""By the index `notification_html`, so that no batch reads again what was moved."""
OPEN = "status NOT IN ('done', 'cancelled') AND html <> ''"


def move(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        for condition in (FINISHED, OPEN):
            moved = BATCH_SIZE
            while moved == BATCH_SIZE:
                cursor.execute(
                    f"""
                    WITH batch AS MATERIALIZED (
                        SELECT id, html FROM notifications_notification
                        WHERE {condition} LIMIT {BATCH_SIZE} FOR NO KEY UPDATE
                    ), stored AS (
                        INSERT INTO notifications_messagehtml (message_id, html) TABLE batch
                        ON CONFLICT DO NOTHING
                    )
                    UPDATE notifications_notification AS message SET html = ''
                    FROM batch WHERE message.id = batch.id
                    """
                )
                moved = cursor.rowcount


class Migration(migrations.Migration):
    atomic = False  # each batch is a transaction

    dependencies = [("notifications", "0027_message_html")]

    operations = [migrations.RunPython(move, migrations.RunPython.noop)]
