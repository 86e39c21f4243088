"""The ways in which an order can be paid now: order's page and API list the same."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.functional import Promise

from orders.models import Order
from orders.payments.providers import used_providers


@dataclass(frozen=True)
class Method:
    """One way to pay."""

    name: str
    """What the API calls it: a provider's name."""
    label: str | Promise
    """What the customer reads on the button."""


def open_methods(order: Order, *, due: Decimal) -> list[Method]:
    """Return the ways in which the `due` amount of the order can be paid, without a query.

    None if nothing is due.
    """
    if not due:
        return []
    return [Method(provider.name, provider.label) for provider in used_providers()]
