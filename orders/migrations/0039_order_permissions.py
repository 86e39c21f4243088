"""Packing and refunding are permissions of their own: a stock keeper packs, a manager refunds."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orders", "0038_frozen_invoices")]

    operations = [
        migrations.AlterModelOptions(
            name="order",
            options={
                "ordering": ["-number"],
                "permissions": [
                    ("pack_order", "Can pack orders"),
                    ("refund_order", "Can refund orders"),
                ],
                "verbose_name": "order",
                "verbose_name_plural": "orders",
            },
        ),
    ]
