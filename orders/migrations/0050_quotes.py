"""What products weigh, what carriers answered, and by which quote an order was placed."""

import django.db.models.functions.datetime
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0049_desk_orders")]

    operations = [
        migrations.CreateModel(
            name="KeptAnswer",
            fields=[
                ("key", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("answer", models.JSONField()),
                (
                    "asked_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now()
                    ),
                ),
            ],
            options={
                "verbose_name": "kept answer of a carrier",
                "verbose_name_plural": "kept answers of carriers",
                "indexes": [models.Index(fields=["asked_at"], name="kept_answer_age")],
            },
        ),
        migrations.AddField(
            model_name="product",
            name="weight",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="weight (g)"),
        ),
        # A constant default is a change of the catalogue only: PostgreSQL rewrites no row.
        migrations.AddField(
            model_name="order",
            name="delivery",
            field=models.JSONField(
                blank=True,
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                verbose_name="delivery",
            ),
        ),
        # The next migration validates them, under a lock that lets orders be placed.
        AddConstraintNotValid(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(("delivery_total__gte", 0)),
                name="order_delivery_is_not_negative",
            ),
        ),
        AddConstraintNotValid(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("delivery", {}), ("delivery_total", 0)),
                    ("delivery__has_keys", ["carrier", "service", "label", "days"]),
                    _connector="OR",
                ),
                name="order_delivery_has_its_quote",
            ),
        ),
    ]
