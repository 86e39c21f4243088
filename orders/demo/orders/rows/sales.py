"""Sales entries of the orders that count, and the counters."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.backends.utils import CursorWrapper

from orders.demo.orders.copying import Copied
from orders.demo.orders.life import Life
from orders.models import SalesEntry
from project.database.arrays import array_literal

_ENTRIES = Copied(SalesEntry, ("order_id", "product_id", "units", "amount", "changed_at"))


@dataclass
class Sold:
    """What the counters have to be moved by, by product."""

    units: Counter[int]
    amounts: dict[int, Decimal]


def write(cursor: CursorWrapper, lives: Sequence[Life]) -> Sold:
    """Write the entries; return what is to be counted (`count_sales`)."""
    rows = [row for life in lives for row in _entries(life)]
    units: Counter[int] = Counter()
    amounts: dict[int, Decimal] = {}
    for _order, product, count, amount, _at in rows:
        units[product] += count
        amounts[product] = amounts.get(product, Decimal(0)) + amount
    _ENTRIES.write_ready(cursor, rows)
    return Sold(units, amounts)


def count_sales(cursor: CursorWrapper, sold: Sold) -> None:
    """Add to the counters, with the rows locked in product order."""
    ids = sorted(sold.units)
    cursor.execute(
        """
        WITH locked AS MATERIALIZED (
            SELECT product_id FROM orders_productsales WHERE product_id = ANY(%(ids)s::bigint[])
            ORDER BY product_id FOR NO KEY UPDATE
        )
        UPDATE orders_productsales AS sales
        SET units = sales.units + more.units, amount = sales.amount + more.amount
        FROM unnest(%(ids)s::bigint[], %(units)s::bigint[], %(amounts)s::numeric[])
             AS more (product_id, units, amount)
        JOIN locked USING (product_id)
        WHERE sales.product_id = more.product_id
        """,
        {
            "ids": array_literal(ids),
            "units": array_literal(sold.units[one] for one in ids),
            "amounts": array_literal(sold.amounts[one] for one in ids),
        },
    )


def _entries(life: Life) -> Iterator[tuple[Any, ...]]:
    if life.cancellation:
        return
    for line in life.lines:
        if left := line.quantity - line.refunded:
            at = life.order.changed_at if line.refunded else life.order.placed_at
            yield life.order.pk, line.goods.id, left, left * line.unit_price, at
