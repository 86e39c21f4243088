"""The words from which typing mistakes are corrected: those of the names on sale and of categories.

They may be a moment old: what a search finds, and what it is corrected to, comes from the products
themselves. So they are counted as a whole, when PostgreSQL's own counters say that somebody wrote
products or categories, and not more often than costs a twentieth of the time.
"""

import time

from django.db import connection, transaction

from orders.catalogue.search.spelling import rests
from orders.models import SearchWord
from project.database.advisory_lock import lock_until_commit

_LOCK = 7_410_048
_REST = 20
"""A count that took a second is followed by so many seconds without one."""


# No Chinese: its pairs of characters are no words. No numbers: each is right.
# A parent and its variants count as one.
COUNT = r"""
WITH named AS (
    SELECT coalesce(variant_of_id, id) AS id, name || ' ' || shop_texts(texts, '$.*.name') AS name
    FROM orders_product WHERE is_active
    UNION ALL
    SELECT -id, name || ' ' || shop_texts(texts, '$.*.name') FROM orders_category
)
SELECT word, count(DISTINCT id)
FROM named, LATERAL (
    SELECT DISTINCT lower(split) AS word FROM string_to_table(shop_text(name), ' ') AS split
) AS words
WHERE word ~ '^[^\s\d\u3005-\u9fff\uf900-\ufaff]{3,30}$'
GROUP BY word
"""


class Vocabulary:
    """When the words were last counted by this process, and of which catalogue."""

    def __init__(self) -> None:
        self._counted: int | None = None
        self._due = 0.0

    def keep(self) -> int | None:
        """Count the words if the catalogue has changed; return how many changed, None if none."""
        written = _rows_written()
        if written == self._counted or time.monotonic() < self._due:
            return None
        started = time.monotonic()
        changed = count_words()
        self._counted = written
        self._due = time.monotonic() + _REST * (time.monotonic() - started)
        return changed or None


_vocabulary = Vocabulary()


def keep_vocabulary() -> int | None:
    """Keep the vocabulary of this process: a sweep, which is known by this function's name."""
    return _vocabulary.keep()


def count_words() -> int:
    """Count the words of the names on sale and of categories; return how many changed."""
    with transaction.atomic():
        lock_until_commit(_LOCK)
        with connection.cursor() as cursor:
            cursor.execute(COUNT)
            counted = dict(cursor.fetchall())
        known = dict(SearchWord.objects.values_list("word", "products"))
        changed = [
            SearchWord(word=word, products=products, near=rests(word))
            for word, products in counted.items()
            if known.get(word) != products
        ]
        SearchWord.objects.bulk_create(
            changed,
            batch_size=1000,
            update_conflicts=True,
            unique_fields=["word"],
            update_fields=["products", "near"],
        )
        gone = known.keys() - counted.keys()
        SearchWord.objects.filter(word__in=gone).delete()
    return len(changed) + len(gone)


def _rows_written() -> int:
    """Return how many rows of products and categories were ever written, as PostgreSQL counts.

    A server that crashed begins at nought, which is another number.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables"
            " WHERE relid IN ('orders_product'::regclass, 'orders_category'::regclass)"
        )
        return cursor.fetchone()[0]
