from django.db import migrations


class Migration(migrations.Migration):
    """Numbers that users confirmed by a code are known (SMS_FIRST_NEEDS_EMAIL)."""

    dependencies = [
        ("orders", "0016_canonical_addresses"),
        ("notifications", "0014_known_numbers"),
    ]

    operations = [
        migrations.RunSQL(
            """
            INSERT INTO notifications_knownnumber (phone, known_at)
            SELECT DISTINCT phone, now() FROM orders_user WHERE phone <> ''
            ON CONFLICT DO NOTHING
            """,
            migrations.RunSQL.noop,
        ),
    ]
