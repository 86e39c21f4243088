"""The best matches first, and how many there are: one statement.

The products of each score are a set of ids (`matching.fitting`). The statement goes through the
scores, and stops when the page is full: PostgreSQL evaluates a materialized CTE only when it is
read, and of a UNION ALL under a LIMIT one part after the other.

If few products have a score, their units sold are looked up. If many do, the best-selling products
are read in their order until enough of them have it.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from orders.catalogue.search.filters import Sort
from orders.catalogue.search.matching import ANYWHERE, fitting
from orders.catalogue.search.pages import Cursor, KeyPage, key_page
from orders.catalogue.search.words import Word
from orders.models import Product

_STATEMENT = """
WITH {sets}
SELECT counted.count, page.id, page.score, page.sold
FROM (SELECT count(*) FROM fits_{anywhere}) AS counted
LEFT JOIN ({parts} LIMIT %s OFFSET %s) AS page ON true
"""

_PART = """
(SELECT id, {score} AS score, sold FROM ({source}) AS fitting WHERE {conditions}
ORDER BY sold {direction}, id {direction} LIMIT %s)
"""

_FEW = """
SELECT id, coalesce((SELECT units FROM orders_popularity WHERE product_id = id), 0) AS sold
FROM fits_{score}
WHERE NOT EXISTS (SELECT FROM fits_{score} OFFSET 1000)
"""

# IS TRUE keeps the planner from making a join of the condition: it would read all products.
_MANY = """
SELECT product_id AS id, units AS sold
FROM orders_popularity
WHERE EXISTS (SELECT FROM fits_{score} OFFSET 1000)
    AND (product_id IN (SELECT id FROM fits_{score})) IS TRUE
"""


def best_matches(
    words: Sequence[Word],
    text: str,
    *,
    among: QuerySet[Product],
    size: int,
    cursor: Cursor | None = None,
    first: int = 0,
) -> tuple[int, KeyPage]:
    """Return how many products the search finds, and a page of them; the `first` ones are skipped.

    They are in the order of their score, then of their units sold. Where many fit as well, a
    product without popularity is left out: plain SQL wrote it, and the next sweep adds it.
    """
    fits = fitting(words, text, among=among)
    sets, parts, params = [], [], list[Any]()
    for score, ids in fits.items():
        sql, values = ids.query.sql_with_params()
        sets.append(f"fits_{score} (id) AS MATERIALIZED ({sql})")
        params += values
    backwards = cursor is not None and cursor.is_before
    compare, direction = (">", "ASC") if backwards else ("<", "DESC")
    for score in sorted(fits, reverse=not backwards):
        place: Sequence[Any] = ()
        conditions = ["true"]
        conditions += [f"id NOT IN (SELECT id FROM fits_{each})" for each in fits if each > score]
        if cursor is not None and cursor.key[0] == score:
            place = cursor.key[1:]
            conditions.append(f"(sold, id) {compare} (%s, %s)")
        elif cursor is not None:
            conditions.append(f"{score} {compare} {cursor.key[0]:d}")  # the planner decides it
        for source in (_FEW, _MANY):
            parts.append(
                _PART.format(
                    score=score,
                    source=source.format(score=score),
                    conditions=" AND ".join(conditions),
                    direction=direction,
                )
            )
            params += [*place, first + size + 1]
    statement = _STATEMENT.format(
        sets=", ".join(sets), anywhere=ANYWHERE, parts=" UNION ALL ".join(parts)
    )
    with connection.cursor() as reader:
        reader.execute(statement, [*params, size + 1, first])
        found = reader.fetchall()
    rows = [(pk, score, sold, pk) for _count, pk, score, sold in found if pk is not None]
    page = key_page(rows, order=Sort.RELEVANCE, cursor=cursor, size=size, first=first)
    return found[0][0], page
