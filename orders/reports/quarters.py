"""Sales by quarter of an hour: what the overview sums up instead of a month of orders.

The sweep `count_quarters` counts anew each quarter with an order that changed. A reader takes the
rows, and counts by itself the few quarters with changes since the sweep's mark: so its figures are
exact at any time, and cost the same at a million orders.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection, connections, router, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from orders.models import Order, SalesQuarter
from project.database.advisory_lock import lock_until_commit
from project.database.clock import database_now
from project.models import OVERLAP
from project.schedule.passes import Position, Row, open_pass

QUARTER = timedelta(minutes=15)
KEEP = timedelta(days=400)
NAME = "count_quarters"
_LOCK = 7_410_021
_PAGE = 2000
"""Changed orders that the sweep reads at a time."""
_PART = 96
"""Quarters that are counted anew in one transaction."""

_BIN = "date_bin('15 minutes', placed_at, 'epoch')"
_ITS_ORDERS = """
    SELECT id, total FROM orders_order
    WHERE placed_at >= quarter.begins_at AND placed_at < quarter.ends_at
      AND status <> ALL(%(uncounted)s)
"""
# OFFSET 0: each order's lines are read by their index. Without it the planner, which can't know how
# few orders a quarter has, may join the whole table of lines.
_SUMS = f"""
    SELECT count(*) AS orders, coalesce(sum(total), 0) AS amount, coalesce(sum(units), 0) AS units
    FROM ({_ITS_ORDERS}) AS placed CROSS JOIN LATERAL (
        SELECT sum(quantity) AS units FROM orders_orderline WHERE order_id = placed.id
    ) AS line
"""
_BY_PRODUCT = f"""
    SELECT product_id, sum(quantity) AS units
    FROM ({_ITS_ORDERS}) AS placed CROSS JOIN LATERAL (
        SELECT product_id, quantity FROM orders_orderline WHERE order_id = placed.id OFFSET 0
    ) AS line
    GROUP BY product_id
"""
# The quarters whose rows may be outdated: with orders that changed since the sweep's mark. While
# its first pass is under way, its position is one. The planner can't know how few orders changed
# since then; "+ interval '0'" keeps it from reading all orders since `since` by their index.
_OUTDATED = f"""
    outdated AS MATERIALIZED (
        SELECT DISTINCT {_BIN} AS begins_at, {_BIN} + interval '15 minutes' AS ends_at
        FROM orders_order
        WHERE placed_at + interval '0' >= %(since)s AND changed_at > coalesce((
            SELECT greatest(done_until, page_at) - %(overlap)s FROM project_sweep
            WHERE name = %(sweep)s), '-infinity')
    )
"""


def _parameters(**more: Any) -> dict[str, Any]:
    return {
        "uncounted": [str(status) for status in Order.UNCOUNTED],
        "overlap": OVERLAP,
        "sweep": NAME,
        **more,
    }


# ── Writing ─────────────────────────────────────────────────────────────────────────────────
def count_quarters() -> int | None:
    """Count anew the quarters of the orders that changed; return their number, None without any."""
    walk = open_pass(NAME, until=database_now())
    counted = 0
    for page in walk.pages(_read_page, size=_PAGE):
        counted += refresh({row.content for row in page})
    return counted or None


def refresh(begins: Iterable[datetime]) -> int:
    """Count these quarters anew; return how many rows were wrong.

    One process at a time: of two, the later one could otherwise write what the earlier one saw.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        lock_until_commit(_LOCK)
        cursor.execute(
            f"""
            INSERT INTO orders_salesquarter AS old
                (begins_at, orders, amount, units, units_by_product)
            SELECT quarter.begins_at, sums.orders, sums.amount, sums.units, coalesce((
                SELECT jsonb_object_agg(product_id, units)
                FROM ({_BY_PRODUCT}) AS by_product), '{{}}')
            FROM (SELECT at AS begins_at, at + interval '15 minutes' AS ends_at
                  FROM unnest(%(begins)s::timestamptz[]) AS at) AS quarter
            CROSS JOIN LATERAL ({_SUMS}) AS sums
            WHERE sums.orders > 0 OR EXISTS (
                SELECT FROM orders_salesquarter WHERE begins_at = quarter.begins_at)
            ORDER BY quarter.begins_at
            ON CONFLICT (begins_at) DO UPDATE SET
                orders = EXCLUDED.orders, amount = EXCLUDED.amount, units = EXCLUDED.units,
                units_by_product = EXCLUDED.units_by_product
            WHERE (old.orders, old.amount, old.units, old.units_by_product) IS DISTINCT FROM
                (EXCLUDED.orders, EXCLUDED.amount, EXCLUDED.units, EXCLUDED.units_by_product)
            """,
            _parameters(begins=list(begins)),
        )
        return cursor.rowcount


def count_anew(*, days: int = KEEP.days) -> tuple[int, int]:
    """Count the quarters of the last days anew; return their number and how many were wrong."""
    now = database_now()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT least((SELECT min(placed_at) FROM orders_order),"
            " (SELECT min(begins_at) FROM orders_salesquarter))"
        )
        first = cursor.fetchone()[0]
    if first is None:
        return 0, 0
    begins = quarters_between(max(first, now - timedelta(days=days)), now)
    parts = (begins[at : at + _PART] for at in range(0, len(begins), _PART))
    return len(begins), sum(map(refresh, parts))


def quarters_between(first: datetime, last: datetime) -> list[datetime]:
    """Return the beginnings of all quarters from that of `first` to that of `last`."""
    begin = first.astimezone(UTC)
    begin -= timedelta(minutes=begin.minute % 15, seconds=begin.second) + timedelta(
        microseconds=begin.microsecond
    )
    return [begin + n * QUARTER for n in range((last - begin) // QUARTER + 1)]


def old_quarters() -> QuerySet[SalesQuarter]:
    """Return the rows to prune."""
    return SalesQuarter.objects.filter(begins_at__lt=Now() - KEEP)


def _read_page(after: Position, until: datetime, limit: int) -> list[Row]:
    """Return changed orders, the oldest change first, with the beginning of their quarter."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT changed_at, id, {_BIN} FROM orders_order
            WHERE (changed_at, id) > (%(at)s, %(key)s) AND changed_at <= %(until)s
            ORDER BY changed_at, id LIMIT %(limit)s
            """,
            {"at": after.at, "key": after.key, "until": until, "limit": limit},
        )
        return [Row(at, key, begins) for at, key, begins in cursor]


# ── Reading ─────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Sales:
    """The sales of a time."""

    orders: int = 0
    amount: Decimal = Decimal(0)
    units: int = 0

    def __add__(self, other: "Sales") -> "Sales":
        return Sales(
            self.orders + other.orders, self.amount + other.amount, self.units + other.units
        )


def read_sales(
    since: datetime, *, parts: Sequence[tuple[datetime, datetime]] = ()
) -> tuple[dict[datetime, Sales], list[Sales]]:
    """Return the sales since then by the shop's hour, and those of each part, in one query.

    `since` is the beginning of an hour. A part (begin, end) is shorter than an hour: its orders are
    counted one by one.
    """
    with connections[router.db_for_read(SalesQuarter)].cursor() as cursor:
        cursor.execute(
            f"""
            WITH {_OUTDATED}, counted AS (
                SELECT begins_at, orders, amount, units FROM orders_salesquarter
                WHERE begins_at >= %(since)s
                  AND begins_at NOT IN (SELECT begins_at FROM outdated)
                UNION ALL
                SELECT quarter.begins_at, sums.*
                FROM outdated AS quarter CROSS JOIN LATERAL ({_SUMS}) AS sums
            )
            SELECT NULL::int, date_trunc('hour', begins_at, %(zone)s) AS hour,
                   sum(orders)::bigint, sum(amount), sum(units)::bigint
            FROM counted GROUP BY hour
            UNION ALL
            SELECT part, quarter.begins_at, sums.*
            FROM unnest(%(begins)s::timestamptz[], %(ends)s::timestamptz[]) WITH ORDINALITY
                AS quarter (begins_at, ends_at, part)
            CROSS JOIN LATERAL ({_SUMS}) AS sums
            """,
            _parameters(
                since=since,
                zone=settings.TIME_ZONE,
                begins=[begin for begin, _end in parts],
                ends=[end for _begin, end in parts],
            ),
        )
        rows = cursor.fetchall()
    hours = {hour: Sales(*sums) for part, hour, *sums in rows if part is None}
    of_part = {part: Sales(*sums) for part, _begin, *sums in rows if part is not None}
    return hours, [of_part[number] for number in range(1, len(parts) + 1)]


@dataclass(frozen=True)
class Seller:
    product_id: int
    name: str
    units: int


def best_sellers(since: datetime, *, most: int) -> list[Seller]:
    """Return the products with the most sold units since then, in one query."""
    with connections[router.db_for_read(SalesQuarter)].cursor() as cursor:
        cursor.execute(
            f"""
            WITH {_OUTDATED}, sold AS (
                SELECT key::bigint AS product_id, value::bigint AS units
                FROM orders_salesquarter, jsonb_each_text(units_by_product)
                WHERE begins_at >= %(since)s
                  AND begins_at NOT IN (SELECT begins_at FROM outdated)
                UNION ALL
                SELECT by_product.* FROM outdated AS quarter
                CROSS JOIN LATERAL ({_BY_PRODUCT}) AS by_product
            ), best AS (
                SELECT product_id, sum(units)::bigint AS units FROM sold GROUP BY product_id
                ORDER BY 2 DESC, 1 LIMIT %(most)s
            )
            SELECT id, name, units FROM best JOIN orders_product ON id = product_id
            ORDER BY units DESC, name
            """,
            _parameters(since=since, most=most),
        )
        return [Seller(*row) for row in cursor.fetchall()]
