"""The first read of a placement: the order under the key, if any, and the products on sale.

It takes no lock. `pricing` prices by these offers; the StockWriter checks again under locks.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db import Error, connection

from project.database.arrays import array_literal
from project.database.errors import Remedy, drop, remedy


@dataclass(frozen=True)
class Offer:
    """A product on sale, as it was read without a lock."""

    product_id: int
    name: str
    price: Decimal
    available: int
    personalisation: str
    requires_upload: bool
    weight: int | None
    """Grams; None: unknown."""


def look_up(
    *, order_ids: Iterable[UUID], skus: Iterable[str]
) -> tuple[UUID | None, dict[str, Offer]]:
    """Return the id of the order placed under one of these ids, if any, and the offers by SKU.

    A SKU without a product on sale has no offer. The SQL is written by hand and takes one round
    trip: two ORM queries cost more of the web process's time than all the rest of placing an
    order (1.3 ms of 2).

    If the connection is lost, the read is made once more on a new one: the pool may have given
    out a connection that the server had closed.
    """
    ids, names = list(order_ids), list(skus)
    try:
        return _read(ids, names)
    except Error as error:
        if remedy(error) is not Remedy.RECONNECT:
            raise
        drop(connection)
        return _read(ids, names)


def _read(order_ids: list[UUID], skus: list[str]) -> tuple[UUID | None, dict[str, Offer]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT id FROM orders_order WHERE id = ANY(%s::uuid[]) LIMIT 1),
                   product.sku, product.id, product.name, product.price, stock.available,
                   product.personalisation, product.requires_upload, product.weight
            FROM (SELECT) AS always_a_row
            LEFT JOIN (orders_product AS product
                       JOIN orders_stock AS stock ON stock.product_id = product.id)
                   ON product.sku = ANY(%s::text[]) AND product.is_active
            """,
            [array_literal(order_ids), skus],
        )
        rows = cursor.fetchall()
    return rows[0][0], {row[1]: Offer(*row[2:]) for row in rows if row[1] is not None}
