"""Notes about orders, and the timeline's entries of corrections."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Now

KINDS = [
    ("placed", "Placed"),
    ("media_ready", "Ready to view"),
    ("part_paid", "Paid in part"),
    ("paid", "Paid"),
    ("overpaid", "Paid without need"),
    ("payment_undone", "Payment undone"),
    ("packed", "Packed"),
    ("shipped", "Shipped"),
    ("parcel_corrected", "Parcel corrected"),
    ("delivered", "Delivered"),
    ("cancelled", "Cancelled"),
    ("part_refunded", "Refunded in part"),
    ("refunded", "Refunded"),
    ("paid_out", "Refund paid out"),
    ("corrected", "Contact corrected"),
    ("sent_again", "Messages sent again"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0033_payment_attempts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="orderevent",
            name="kind",
            field=models.CharField(choices=KINDS, max_length=20, verbose_name="what"),
        ),
        migrations.CreateModel(
            name="OrderNote",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("text", models.CharField(max_length=2000, verbose_name="text")),
                (
                    "created_at",
                    models.DateTimeField(db_default=Now(), editable=False, verbose_name="when"),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notes",
                        to="orders.order",
                        verbose_name="order",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
            ],
            options={
                "verbose_name": "note",
                "verbose_name_plural": "notes",
                "ordering": ["created_at"],
                "indexes": [
                    models.Index(fields=["order", "created_at"], name="note_of_order")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True), name="note_has_a_text"
                    )
                ],
            },
        ),
    ]
