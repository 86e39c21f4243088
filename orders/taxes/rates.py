"""Which rate of tax a product's price includes, by its class and the country of delivery.

The first of these that exists: the class's rate in the country, the country's usual rate, the
class's rate in the shop's country, the usual rate there, `TAX_RATE`. So a shop that sends to
countries for which it has entered nothing charges the tax of its own, and one country alone needs
no rate but `TAX_RATE`.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection

from orders.models import OrderLine
from project.database.arrays import array_literal

RATE_OF_PRODUCT = """coalesce((
    SELECT tax.rate FROM orders_taxrate AS tax
    WHERE (tax.tax_class_id = product.tax_class_id OR tax.tax_class_id IS NULL)
      AND tax.country IN (%(country)s, %(home)s)
    ORDER BY tax.country = %(country)s DESC, tax.tax_class_id IS NULL
    LIMIT 1
), %(usual)s::numeric)"""
"""SQL of the rate of the row `product` (of orders_product), with `rate_parameters`; NULL where
there is none."""


def country_of(address: dict[str, str]) -> str:
    """Return the country whose tax counts for the address; for a pickup the shop's."""
    return address.get("country") or settings.SHOP_COUNTRY


def rate_parameters(country: str) -> dict[str, Any]:
    """Return the parameters of `RATE_OF_PRODUCT`. `country`: ISO 3166-1 alpha-2."""
    return {"country": country, "home": settings.SHOP_COUNTRY, "usual": settings.TAX_RATE}


def rates_of(skus: Iterable[str], *, country: str) -> dict[str, Decimal | None]:
    """Return the rate of each of these products in the country, in per cent; None: not known."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT sku, {RATE_OF_PRODUCT} FROM orders_product AS product"
            " WHERE sku = ANY(%(skus)s::text[])",
            {**rate_parameters(country), "skus": list(skus)},
        )
        return dict(cursor.fetchall())


def move_to(country: str, *, lines: Iterable[OrderLine]) -> None:
    """Give the lines of an order whose address moved the rates of its new country."""
    ids = [line.pk for line in lines]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE orders_orderline AS line SET tax_rate = {RATE_OF_PRODUCT}"
            " FROM orders_product AS product"
            " WHERE product.id = line.product_id AND line.id = ANY(%(ids)s::bigint[])",
            {**rate_parameters(country), "ids": array_literal(ids)},
        )
