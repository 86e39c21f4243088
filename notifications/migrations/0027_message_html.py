"""Give the HTML of messages a table of its own, whose rows the database deletes with them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0026_ascending_indexes")]

    operations = [
        migrations.CreateModel(
            name="MessageHtml",
            fields=[
                (
                    "message",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="notifications.notification",
                    ),
                ),
                ("html", models.TextField()),
            ],
            options={
                "default_permissions": (),
                "verbose_name": "HTML of a message",
                "verbose_name_plural": "HTML of messages",
            },
        ),
        migrations.RunSQL(
            """
            ALTER TABLE notifications_messagehtml ADD CONSTRAINT html_of_a_message
            FOREIGN KEY (message_id) REFERENCES notifications_notification (id)
            ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
            """,
            "ALTER TABLE notifications_messagehtml DROP CONSTRAINT html_of_a_message",
        ),
    ]
