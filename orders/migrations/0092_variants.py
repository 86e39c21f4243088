"""Variants of products, and the catalogue's texts in other languages.

`shop_texts` gives the texts of a JSON document that a path finds, as one text: for the indexes of
words. It is PL/pgSQL with full names, as `shop_words` is (`search_functions`).
"""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import F, Q

TEXTS = """
CREATE OR REPLACE FUNCTION shop_texts(texts jsonb, path jsonpath) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN coalesce(
        (SELECT pg_catalog.string_agg(each OPERATOR(pg_catalog.#>>) '{}', ' ')
         FROM pg_catalog.jsonb_path_query(texts, path) AS one,
              LATERAL pg_catalog.jsonb_path_query(one, '$[*]') AS each),
        '');
END $$
"""

PARENT = {
    "blank": True,
    "db_index": False,
    "null": True,
    "on_delete": django.db.models.deletion.PROTECT,
    "related_name": "variants",
    "to": "orders.product",
    "verbose_name": "variant of",
}


def texts() -> models.JSONField:
    return models.JSONField(
        blank=True,
        db_default=models.Value({}, models.JSONField()),
        default=dict,
        editable=False,
        verbose_name="translations",
    )


class Migration(migrations.Migration):
    dependencies = [("orders", "0091_validate_returns")]

    operations = [
        migrations.RunSQL(TEXTS, "DROP FUNCTION shop_texts(jsonb, jsonpath)"),
        migrations.AddField("category", "texts", texts()),
        migrations.AddField("productmedia", "texts", texts()),
        migrations.AddField("product", "texts", texts()),
        migrations.AddField(
            "product",
            "options",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=60),
                blank=True,
                db_default=[],
                default=list,
                size=None,
                verbose_name="options",
            ),
        ),
        migrations.AddField(
            "product",
            "position",
            models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="position"),
        ),
        # The next migration validates the constraints, under a lock that lets products change.
        migrations.AddField("product", "variant_of", models.ForeignKey(**PARENT, db_constraint=False)),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE orders_product ADD CONSTRAINT product_parent_exists"
                    " FOREIGN KEY (variant_of_id) REFERENCES orders_product (id)"
                    " DEFERRABLE INITIALLY DEFERRED NOT VALID",
                    "ALTER TABLE orders_product DROP CONSTRAINT product_parent_exists",
                )
            ],
            state_operations=[
                migrations.AlterField("product", "variant_of", models.ForeignKey(**PARENT))
            ],
        ),
        AddConstraintNotValid(
            "product",
            models.CheckConstraint(
                condition=Q(variant_of=None) | ~Q(options=[]), name="variant_has_options"
            ),
        ),
        AddConstraintNotValid(
            "product",
            models.CheckConstraint(
                condition=Q(variant_of=None) | ~Q(variant_of=F("id")),
                name="variant_of_another_product",
            ),
        ),
    ]
