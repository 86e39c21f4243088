"""The first read of a placement: the order under the key, if any, and the products on sale.

It takes no lock. `pricing` prices by these offers; the StockWriter checks again under locks.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db import Error, connection

from orders.placing.synthetic import no_run
from orders.taxes.rates import RATE_OF_PRODUCT, rate_parameters
from project.database.arrays import array_literal
from project.database.errors import UNDEFINED_TABLE, Remedy, drop, remedy, sqlstate
from project.database.run_schema import SCHEMA


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
    tax_rate: Decimal | None
    """In per cent, where the order goes; None: unknown."""
    category_id: int


def look_up(
    *, order_ids: Iterable[UUID], skus: Iterable[str], country: str, is_synthetic: bool = False
) -> tuple[UUID | None, dict[str, Offer]]:
    """Return the id of the order placed under one of these ids, if any, and the offers by SKU.

    A SKU without a product on sale has no offer. `country` is the one whose tax counts. A synthetic
    order's offers are those of the performance run's tables. The SQL is written by hand and takes
    one round trip: two ORM queries cost more of the web process's time than all the rest of placing
    an order (1.3 ms of 2).

    If the connection is lost, the read is made once more on a new one: the pool may have given
    out a connection that the server had closed. Raises InvalidOrder for a synthetic order without
    a run that is going on.
    """
    ids, names = list(order_ids), list(skus)
    try:
        return _read(ids, names, country, is_synthetic=is_synthetic)
    except Error as error:
        if is_synthetic and sqlstate(error) == UNDEFINED_TABLE:
            raise no_run() from error
        if remedy(error) is not Remedy.RECONNECT:
            raise
        drop(connection)
        return _read(ids, names, country, is_synthetic=is_synthetic)


def _read(
    order_ids: list[UUID], skus: list[str], country: str, *, is_synthetic: bool
) -> tuple[UUID | None, dict[str, Offer]]:
    schema = f"{SCHEMA}." if is_synthetic else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT (SELECT id FROM {schema}orders_order
                    WHERE id = ANY(%(order_ids)s::uuid[]) LIMIT 1),
                   product.sku, product.id, product.name, product.price, stock.available,
                   product.personalisation, product.requires_upload, product.weight,
                   {"NULL" if is_synthetic else RATE_OF_PRODUCT},
                   product.category_id
            FROM (SELECT) AS always_a_row
            LEFT JOIN ({schema}orders_product AS product
                       JOIN {schema}orders_stock AS stock ON stock.product_id = product.id)
                   ON product.sku = ANY(%(skus)s::text[]) AND product.is_active
            """,
            {"order_ids": array_literal(order_ids), "skus": skus, **rate_parameters(country)},
        )
        rows = cursor.fetchall()
    return rows[0][0], {row[1]: Offer(*row[2:]) for row in rows if row[1] is not None}
