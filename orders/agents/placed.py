"""The order that a checkout session has become: placed by its agent, or by a person.

The checkout page gives the order of a handed-over session the same key (`orders.shop.handoff`), so
the order is found before the session knows of it.
"""

from collections.abc import Iterable
from uuid import UUID

from orders.models import AgentCheckout, Order
from orders.placing.identity import order_ids


def placed_order(checkout: AgentCheckout) -> Order | None:
    """Return the session's order, if there is one."""
    return placed_orders([checkout]).get(checkout.pk)


def placed_orders(checkouts: Iterable[AgentCheckout]) -> dict[UUID, Order]:
    """Return the orders by the ids of their sessions, in one query."""
    by_order = {
        order_id: checkout.pk for checkout in checkouts for order_id in _possible_ids(checkout)
    }
    found = Order.objects.in_bulk(by_order.keys()) if by_order else {}
    return {by_order[order.pk]: order for order in found.values()}


def _possible_ids(checkout: AgentCheckout) -> list[UUID]:
    if checkout.order_id is not None:
        return [checkout.order_id]
    return [
        each
        for source in (Order.Source.AGENT, Order.Source.SHOP)
        for each in order_ids(source=source, user_id=None, key=checkout.pk.hex)
    ]
