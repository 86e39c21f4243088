"""Vouchers, their uses, and what they take off orders and lines."""

from decimal import Decimal

import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0070_holds")]

    operations = [
        migrations.CreateModel(
            name="Voucher",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        max_length=40,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Z0-9-]{3,40}$",
                                "Use 3 to 40 capital letters, digits and hyphens.",
                            )
                        ],
                        verbose_name="code",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("amount", "Amount"), ("percent", "Per cent")],
                        max_length=7,
                        verbose_name="kind",
                    ),
                ),
                (
                    "value",
                    models.DecimalField(
                        decimal_places=2,
                        help_text="An amount with tax, or a percentage up to 100.",
                        max_digits=12,
                        validators=[django.core.validators.MinValueValidator(Decimal("0.01"))],
                        verbose_name="value",
                    ),
                ),
                (
                    "minimum",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="So much the products that it is for must cost. Empty: any amount.",
                        max_digits=12,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(Decimal("0.01"))],
                        verbose_name="minimum",
                    ),
                ),
                ("starts_at", models.DateTimeField(blank=True, null=True, verbose_name="from")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="until")),
                (
                    "limit",
                    models.PositiveIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="uses in all",
                    ),
                ),
                (
                    "limit_per_person",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="A person is one e-mail address.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="uses per person",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(db_default=True, default=True, verbose_name="active"),
                ),
                (
                    "used",
                    models.PositiveIntegerField(
                        db_default=0, default=0, editable=False, verbose_name="used"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="created",
                    ),
                ),
            ],
            options={
                "verbose_name": "voucher",
                "verbose_name_plural": "vouchers",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="VoucherUse",
            fields=[
                ("order_id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("person", models.CharField(editable=False, max_length=64)),
                (
                    "amount",
                    models.DecimalField(decimal_places=2, max_digits=14, verbose_name="discount"),
                ),
                (
                    "used_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="used"
                    ),
                ),
                ("given_back_at", models.DateTimeField(null=True, verbose_name="given back")),
            ],
            options={
                "verbose_name": "use of a voucher",
                "verbose_name_plural": "uses of vouchers",
                "default_permissions": ("view",),
            },
        ),
        migrations.RemoveConstraint(
            model_name="order",
            name="order_total_is_items_and_delivery",
        ),
        migrations.AddField(
            model_name="order",
            name="discount_total",
            field=models.DecimalField(
                db_default=0, decimal_places=2, default=0, max_digits=14, verbose_name="discount"
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="voucher_code",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=40, verbose_name="voucher"
            ),
        ),
        migrations.AddField(
            model_name="orderline",
            name="discount",
            field=models.DecimalField(
                db_default=0,
                decimal_places=2,
                default=0,
                editable=False,
                max_digits=14,
                verbose_name="discount",
            ),
        ),
        migrations.AddField(
            model_name="refundline",
            name="discount",
            field=models.DecimalField(
                db_default=0,
                decimal_places=2,
                default=0,
                editable=False,
                max_digits=14,
                verbose_name="discount",
            ),
        ),
        AddConstraintNotValid(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "total",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("items_total"), "+", models.F("delivery_total")
                            ),
                            "-",
                            models.F("discount_total"),
                        ),
                    )
                ),
                name="order_total_is_its_parts",
            ),
        ),
        AddConstraintNotValid(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("discount_total__gte", 0), ("discount_total__lte", models.F("items_total"))
                ),
                name="order_discount_is_of_its_items",
            ),
        ),
        AddConstraintNotValid(
            model_name="orderline",
            constraint=models.CheckConstraint(
                condition=models.Q(("discount__gte", 0), ("discount__lte", models.F("total"))),
                name="line_discount_is_of_its_total",
            ),
        ),
        migrations.AddField(
            model_name="voucher",
            name="category",
            field=models.ForeignKey(
                blank=True,
                help_text="Only its products get cheaper. Empty: all products.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="vouchers",
                to="orders.category",
                verbose_name="category",
            ),
        ),
        migrations.AddField(
            model_name="voucheruse",
            name="voucher",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="uses",
                to="orders.voucher",
                verbose_name="voucher",
            ),
        ),
        migrations.AddConstraint(
            model_name="voucher",
            constraint=models.CheckConstraint(
                condition=models.Q(("code__regex", "^[A-Z0-9-]{3,40}$")),
                name="voucher_code_is_plain",
                violation_error_message="Use 3 to 40 capital letters, digits and hyphens.",
            ),
        ),
        migrations.AddConstraint(
            model_name="voucher",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "amount"), ("value__gt", 0)),
                    models.Q(("kind", "percent"), ("value__gt", 0), ("value__lte", 100)),
                    _connector="OR",
                ),
                name="voucher_value_fits_its_kind",
                violation_error_message="A percentage is above 0 and at most 100.",
            ),
        ),
        migrations.AddConstraint(
            model_name="voucher",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("limit__isnull", True), ("used__lte", models.F("limit")), _connector="OR"
                ),
                name="voucher_is_used_within_its_limit",
                violation_error_message="It was used more often already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="voucher",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("starts_at__isnull", True),
                    ("ends_at__isnull", True),
                    ("starts_at__lt", models.F("ends_at")),
                    _connector="OR",
                ),
                name="voucher_begins_before_it_ends",
                violation_error_message="It must end after it begins.",
            ),
        ),
        migrations.AddIndex(
            model_name="voucheruse",
            index=models.Index(fields=["voucher", "person"], name="voucher_use_of_person"),
        ),
        migrations.AddConstraint(
            model_name="voucheruse",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gte", 0)), name="voucher_use_is_not_negative"
            ),
        ),
    ]
