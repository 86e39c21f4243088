"""Holds: units that are set aside for somebody who is about to pay."""

import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0069_traceparent")]

    operations = [
        migrations.CreateModel(
            name="Hold",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("fingerprint", models.CharField(editable=False, max_length=64)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "Held"),
                            ("ordered", "Ordered"),
                            ("replaced", "Replaced by another hold"),
                            ("given_back", "Given back"),
                            ("expired", "Its time was over"),
                        ],
                        db_default="open",
                        default="open",
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                ("units", models.IntegerField(verbose_name="units")),
                ("order_id", models.UUIDField(editable=False, null=True, verbose_name="order")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="created"
                    ),
                ),
                ("expires_at", models.DateTimeField(verbose_name="held until")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="ended")),
            ],
            options={
                "verbose_name": "hold",
                "verbose_name_plural": "holds",
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="HoldLine",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("quantity", models.PositiveIntegerField(verbose_name="quantity")),
            ],
            options={
                "verbose_name": "held product",
                "verbose_name_plural": "held products",
            },
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(
                condition=models.Q(("status", "open")), fields=["expires_at"], name="hold_open"
            ),
        ),
        migrations.AddIndex(
            model_name="hold",
            index=models.Index(fields=["created_at"], name="hold_newest"),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["open", "ordered", "replaced", "given_back", "expired"])
                ),
                name="hold_status_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("order_id__isnull", False), ("status", "ordered")),
                    models.Q(
                        models.Q(("status", "ordered"), _negated=True), ("order_id__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="hold_is_ordered_by_an_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="hold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at__isnull", True), ("status", "open")),
                    models.Q(
                        models.Q(("status", "open"), _negated=True), ("ended_at__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="hold_has_an_end_or_is_open",
            ),
        ),
        migrations.AddField(
            model_name="holdline",
            name="hold",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="lines",
                to="orders.hold",
                verbose_name="hold",
            ),
        ),
        migrations.AddField(
            model_name="holdline",
            name="product",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="hold_lines",
                to="orders.product",
                verbose_name="product",
            ),
        ),
        migrations.AddConstraint(
            model_name="holdline",
            constraint=models.UniqueConstraint(
                fields=("hold", "product"), name="held_once_per_product"
            ),
        ),
        migrations.AddConstraint(
            model_name="holdline",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gte", 1)), name="hold_line_has_a_quantity"
            ),
        ),
    ]
