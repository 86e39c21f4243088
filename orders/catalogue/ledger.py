"""A product's ledger: its movements, newest first, each with the units on hand after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from orders.models import BY_HAND, HoldLine, Product, StockMovement

PAGE_ROWS = 50


@dataclass(frozen=True)
class LedgerRow:
    """One movement, and the units on hand after it."""

    movement: StockMovement
    balance: int


@dataclass(frozen=True)
class LedgerPage:
    """Some rows, and the id before which the next page begins; None at the end."""

    rows: list[LedgerRow]
    before: int | None


def read_ledger(
    *, product_id: int, kind: str = "", before: int | None = None, size: int = PAGE_ROWS
) -> LedgerPage:
    """Return the product's movements before that id (None: the newest), of one kind or of all.

    A page reads only its own rows and, for their balances, the amounts of newer ones.
    """
    movements = StockMovement.objects.filter(product_id=product_id)
    if kind:
        movements = movements.filter(kind=kind)
    if before is not None:
        movements = movements.filter(pk__lt=before)
    found = list(movements.select_related("order", "user").order_by("-pk")[: size + 1])
    shown = found[:size]
    balances = _balances(product_id, [movement.pk for movement in shown])
    return LedgerPage(
        rows=[LedgerRow(movement, balances[movement.pk]) for movement in shown],
        before=shown[-1].pk if len(found) > size else None,
    )


def _balances(product_id: int, ids: Sequence[int]) -> dict[int, int]:
    """Return the units on hand after each of the movements, also of a filtered list.

    One statement: counter and ledger come from one snapshot. It walks from the newest movement
    down to the oldest one that is asked for.
    """
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, balance FROM (
                SELECT movement.id, stock.available + movement.quantity
                    + (SELECT coalesce(sum(quantity), 0) FROM orders_holdline AS hold
                       WHERE hold.product_id = movement.product_id)
                    - SUM(movement.quantity) OVER (ORDER BY movement.id DESC) AS balance
                FROM orders_stockmovement movement
                JOIN orders_stock stock ON stock.product_id = movement.product_id
                WHERE movement.product_id = %s AND movement.id >= %s
            ) ledger WHERE id = ANY(%s)
            """,
            [product_id, min(ids), list(ids)],
        )
        return {movement_id: int(balance) for movement_id, balance in cursor.fetchall()}


def _held(product: Any) -> Coalesce:
    """Return the expression of the product's held units."""
    lines = HoldLine.objects.filter(product=product).order_by().values("product")
    return Coalesce(Subquery(lines.values(units=Sum("quantity"))), 0)


def with_on_hand(products: QuerySet[Product]) -> QuerySet[Any]:
    """Annotate `on_hand` (with the held units), `held`, and `last`: the id of the newest movement
    that somebody wrote (0: none).

    All are of one snapshot, so a count that is compared with them knows what it saw.
    """
    by_hand = StockMovement.objects.filter(product=OuterRef("pk"), kind__in=BY_HAND)
    return products.annotate(
        held=(held := _held(OuterRef("pk"))),
        on_hand=F("stock__available") + held,
        last=Coalesce(Subquery(by_hand.order_by("-pk").values("pk")[:1]), 0),
    )
