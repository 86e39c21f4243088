"""Tax classes and their rates by country, and the rate that each order line was sold at."""

from decimal import Decimal

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

CLASS_OF_PRODUCT = {
    "blank": True,
    "db_index": False,
    "null": True,
    "on_delete": django.db.models.deletion.PROTECT,
    "related_name": "products",
    "to": "orders.taxclass",
    "verbose_name": "tax class",
}


class Migration(migrations.Migration):
    dependencies = [("orders", "0065_erased_persons")]

    operations = [
        migrations.CreateModel(
            name="TaxClass",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100, unique=True, verbose_name="name")),
            ],
            options={
                "verbose_name": "tax class",
                "verbose_name_plural": "tax classes",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="TaxRate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("country", models.CharField(max_length=2, verbose_name="country")),
                (
                    "rate",
                    models.DecimalField(
                        decimal_places=3,
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal(0)),
                            django.core.validators.MaxValueValidator(Decimal("99.999")),
                        ],
                        verbose_name="tax rate (%)",
                    ),
                ),
                (
                    "tax_class",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        help_text="Empty: of all products without a rate of their own there.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rates",
                        to="orders.taxclass",
                        verbose_name="tax class",
                    ),
                ),
            ],
            options={
                "verbose_name": "tax rate",
                "verbose_name_plural": "tax rates",
                "ordering": ["country", "tax_class"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("country", "tax_class"),
                        name="one_tax_rate_per_country_and_class",
                        nulls_distinct=False,
                        violation_error_message="There is a rate of this class in this country"
                        " already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("rate__gte", 0), ("rate__lt", 100)),
                        name="tax_rate_is_a_percentage",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("country__regex", "^[A-Z]{2}$")),
                        name="tax_rate_has_a_country",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="orderline",
            name="tax_rate",
            field=models.DecimalField(
                decimal_places=3,
                editable=False,
                max_digits=5,
                null=True,
                verbose_name="tax rate (%)",
            ),
        ),
        # The next migration validates the foreign key, under a lock that lets products change.
        migrations.AddField(
            model_name="product",
            name="tax_class",
            field=models.ForeignKey(**CLASS_OF_PRODUCT, db_constraint=False),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE orders_product ADD CONSTRAINT product_tax_class_exists"
                    " FOREIGN KEY (tax_class_id) REFERENCES orders_taxclass (id)"
                    " DEFERRABLE INITIALLY DEFERRED NOT VALID",
                    "ALTER TABLE orders_product DROP CONSTRAINT product_tax_class_exists",
                )
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="product",
                    name="tax_class",
                    field=models.ForeignKey(**CLASS_OF_PRODUCT),
                )
            ],
        ),
    ]
