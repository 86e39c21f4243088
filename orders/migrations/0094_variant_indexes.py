"""The index of variants, and those of the translations' words: both are of these rows only."""

import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

import orders.models.words

TRANSLATED = models.Q(("is_active", True)) & ~models.Q(("texts", {}))
WORDS = {
    "product_translated": orders.models.words.TranslatedWords(),
    "product_names": orders.models.words.TranslatedNames(),
}


class Migration(migrations.Migration):
    atomic = False  # built beside a running shop, without locking its products

    dependencies = [("orders", "0093_validate_variants")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS variant_differs_by_its_options"
                    " ON orders_product (variant_of_id, options) WHERE variant_of_id IS NOT NULL",
                    "DROP INDEX CONCURRENTLY IF EXISTS variant_differs_by_its_options",
                )
            ],
            state_operations=[
                migrations.AddConstraint(
                    "product",
                    models.UniqueConstraint(
                        condition=models.Q(("variant_of__isnull", False)),
                        fields=("variant_of", "options"),
                        name="variant_differs_by_its_options",
                        violation_error_message="Another variant has these options.",
                    ),
                )
            ],
        ),
        *(
            AddIndexConcurrently(
                "product",
                django.contrib.postgres.indexes.GinIndex(
                    words, condition=TRANSLATED, fastupdate=False, name=name
                ),
            )
            for name, words in WORDS.items()
        ),
        # ANALYZE computes no words: see `search_statistics`.
        *(
            migrations.RunSQL(
                f"ALTER INDEX {index} ALTER COLUMN 1 SET STATISTICS 0",
                f"ALTER INDEX {index} ALTER COLUMN 1 SET STATISTICS -1",
            )
            for index in WORDS
        ),
    ]
