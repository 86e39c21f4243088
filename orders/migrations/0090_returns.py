"""Returns with their lines; and of a refund's line the units that are back in stock."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

KINDS = [
    ("placed", "Placed"),
    ("media_ready", "Ready to view"),
    ("part_paid", "Paid in part"),
    ("paid", "Paid"),
    ("overpaid", "Paid without need"),
    ("payment_undone", "Payment undone"),
    ("payment_checked", "Payment checked"),
    ("packed", "Packed"),
    ("shipped", "Shipped"),
    ("parcel_corrected", "Parcel corrected"),
    ("delivered", "Delivered"),
    ("cancelled", "Cancelled"),
    ("part_refunded", "Refunded in part"),
    ("refunded", "Refunded"),
    ("paid_out", "Refund paid out"),
    ("return_requested", "Return requested"),
    ("return_accepted", "Return accepted"),
    ("return_refused", "Return refused"),
    ("return_withdrawn", "Return withdrawn"),
    ("return_received", "Return received"),
    ("corrected", "Contact corrected"),
    ("sent_again", "Messages sent again"),
]
OPEN = ("requested", "accepted")


class Migration(migrations.Migration):
    dependencies = [("orders", "0072_validate_vouchers")]

    operations = [
        migrations.AlterField(
            model_name="orderevent",
            name="kind",
            field=models.CharField(choices=KINDS, max_length=20, verbose_name="what"),
        ),
        migrations.AddField(
            model_name="refundline",
            name="units_restocked",
            field=models.IntegerField(editable=False, null=True, verbose_name="back in stock"),
        ),
        # The next migration validates it, under a lock that lets refunds be made.
        AddConstraintNotValid(
            model_name="refundline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("units_restocked", None),
                    models.Q(
                        ("units_restocked__gte", 0), ("units_restocked__lte", models.F("quantity"))
                    ),
                    _connector="OR",
                ),
                name="refund_line_restocks_its_units",
            ),
        ),
        migrations.CreateModel(
            name="Return",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("accepted", "Accepted"),
                            ("received", "Received"),
                            ("refused", "Refused"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        db_default="requested",
                        default="requested",
                        max_length=9,
                        verbose_name="status",
                    ),
                ),
                (
                    "is_late",
                    models.BooleanField(db_default=False, default=False, verbose_name="late"),
                ),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=200,
                        verbose_name="answer",
                    ),
                ),
                (
                    "requested_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="requested",
                    ),
                ),
                (
                    "ended_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="ended"),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="returns",
                        to="orders.order",
                        verbose_name="order",
                    ),
                ),
                (
                    "refund",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="made_for",
                        to="orders.refund",
                        verbose_name="refund",
                    ),
                ),
            ],
            options={
                "verbose_name": "return",
                "verbose_name_plural": "returns",
                "ordering": ["requested_at", "id"],
                "indexes": [
                    models.Index(fields=["order", "requested_at"], name="return_of_order"),
                    models.Index(
                        fields=["status", "requested_at", "id"], name="return_by_status"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                ["requested", "accepted", "received", "refused", "withdrawn"],
                            )
                        ),
                        name="return_status_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("refund__isnull", False), ("status", "received")),
                            models.Q(
                                models.Q(("status", "received"), _negated=True), ("refund", None)
                            ),
                            _connector="OR",
                        ),
                        name="return_is_refunded_when_received",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("answer", ""), ("status", "refused"), _negated=True),
                        name="return_is_refused_with_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("status__in", OPEN)),
                            models.Q(
                                models.Q(("status__in", OPEN), _negated=True),
                                ("ended_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="return_is_open_until_it_ends",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReturnLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("quantity", models.IntegerField(verbose_name="quantity")),
                (
                    "received",
                    models.IntegerField(db_default=0, default=0, verbose_name="received"),
                ),
                (
                    "restocked",
                    models.IntegerField(db_default=0, default=0, verbose_name="back in stock"),
                ),
                (
                    "line",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="return_lines",
                        to="orders.orderline",
                        verbose_name="order line",
                    ),
                ),
                (
                    "of_return",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="orders.return",
                        verbose_name="return",
                    ),
                ),
            ],
            options={
                "verbose_name": "line of a return",
                "verbose_name_plural": "lines of returns",
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("of_return", "line"), name="return_line_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity__gte", 1)),
                        name="return_line_has_a_quantity",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("received__lte", models.F("quantity")),
                            ("restocked__gte", 0),
                            ("restocked__lte", models.F("received")),
                        ),
                        name="return_line_comes_at_most_once",
                    ),
                ],
            },
        ),
    ]
