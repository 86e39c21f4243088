"""The other orders of an order's customer, as the order's page lists them."""

from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Lower

from orders.models import Order

SHOWN = 10
MOST_COUNTED = 1000


@dataclass(frozen=True)
class OtherOrders:
    orders: list[Order]
    """The newest, SHOWN at most."""
    count: int
    """How many there are, MOST_COUNTED at most."""

    @property
    def is_more(self) -> bool:
        """Return True if there are more than were counted."""
        return self.count >= MOST_COUNTED

    @property
    def more(self) -> int:
        """Return how many aren't in `orders`."""
        return self.count - len(self.orders)


def read_other_orders(order: Order) -> OtherOrders:
    """Return the other orders of the same account or e-mail address, in one query.

    A UNION, so that each half has its index: with OR, PostgreSQL could scan all orders. Each half
    reads MOST_COUNTED at most, so a customer with a hundred thousand orders costs no more.
    """
    others = Order.objects.exclude(pk=order.pk).order_by("-number")
    of_address = others.annotate(small=Lower("email")).filter(small=order.email.lower())
    columns = ("pk", "number", "status", "total", "currency", "placed_at")
    found: Any = of_address.values_list(*columns)[:MOST_COUNTED]
    if order.user_id:
        of_account = others.filter(user=order.user_id).values_list(*columns)[:MOST_COUNTED]
        found = found.union(of_account)
    newest = sorted(found, key=lambda row: -row[1])
    return OtherOrders(
        orders=[Order(**dict(zip(columns, row, strict=True))) for row in newest[:SHOWN]],
        count=min(len(newest), MOST_COUNTED),
    )
