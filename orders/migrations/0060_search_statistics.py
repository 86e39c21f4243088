"""No statistics of the words: they took ANALYZE ten times as long as all else, and steer nothing.

To collect them, ANALYZE computes the words of 30,000 products. The searches are written so that only
an index of words can answer them (see `search_functions`), whatever is expected of it.
"""

from django.db import migrations

INDEXES = ("product_words", "product_name_words")


class Migration(migrations.Migration):
    dependencies = [("orders", "0059_waiting_lists")]

    operations = [
        migrations.RunSQL(
            f"ALTER INDEX {index} ALTER COLUMN 1 SET STATISTICS 0",
            f"ALTER INDEX {index} ALTER COLUMN 1 SET STATISTICS -1",
        )
        for index in INDEXES
    ]
