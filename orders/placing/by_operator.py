"""What only an order has that an operator makes for a customer: who made it, and prices by hand.

`pricing` reads it from the request. The StockWriter writes it into the order's first event, so it
is committed with the order and never changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from orders.models import Order, OrderEvent
from orders.placing.errors import FieldError
from orders.placing.offers import Offer

LARGEST_PRICE = Decimal("99999999.99")
"""The largest unit price that the column of an order's line can keep."""
MAX_REASON = 200


@dataclass(frozen=True)
class HandPrice:
    """A unit price that an operator set instead of the shop's."""

    price: Decimal
    reason: str


@dataclass(frozen=True)
class ByOperator:
    """The operator's part of a request."""

    user_id: int | None
    prices: Mapping[str, HandPrice] = field(default_factory=dict)
    """The prices by hand, by SKU; each other product has the shop's price."""

    def unit_price(self, sku: str, offer: Offer) -> Decimal:
        """Return the price that one unit is sold for."""
        return self.prices[sku].price if sku in self.prices else offer.price

    def parsed(self) -> list[tuple[str, str, str]]:
        """Return the prices by hand in the form that a fingerprint is made of."""
        return sorted((sku, f"{set_.price:.2f}", set_.reason) for sku, set_ in self.prices.items())

    def detail(self, offers: Mapping[str, Offer]) -> dict[str, Any]:
        """Return the detail of the order's first event: each price by hand, with the shop's."""
        prices = [
            {
                "sku": sku,
                "name": offers[sku].name,
                "price": f"{by_hand.price:.2f}",
                "shop_price": str(offers[sku].price),
                "reason": by_hand.reason,
            }
            for sku, by_hand in self.prices.items()
        ]
        return {"prices": prices} if prices else {}


@dataclass(frozen=True)
class KeptPrice:
    """A price by hand as the order's first event keeps it."""

    sku: str
    name: str
    price: Decimal
    shop_price: Decimal
    """The shop's price of that moment."""
    reason: str


def kept_prices(event: OrderEvent) -> list[KeptPrice]:
    """Return the prices by hand of the order whose first event this is."""
    return [
        KeptPrice(
            sku=item["sku"],
            name=item["name"],
            price=Decimal(item["price"]),
            shop_price=Decimal(item["shop_price"]),
            reason=item["reason"],
        )
        for item in event.detail.get("prices", ())
    ]


def by_operator_of(order: Order) -> ByOperator | None:
    """Return the operator's part of an order that is placed; None for one without an operator."""
    if order.door != Order.Source.DESK:
        return None
    event = order.events.get(kind=OrderEvent.Kind.PLACED)
    prices = {kept.sku: HandPrice(kept.price, kept.reason) for kept in kept_prices(event)}
    return ByOperator(event.user_id, prices)


def price_error(by_hand: HandPrice) -> str:
    """Return why the price by hand can't be kept; empty if it can."""
    if not by_hand.reason.strip() or len(by_hand.reason) > MAX_REASON:
        return _("Say in a few words why it has this price.")
    is_amount = by_hand.price.is_finite() and 0 <= by_hand.price <= LARGEST_PRICE
    if not is_amount or by_hand.price != round(by_hand.price, 2):
        return _("Enter an amount from 0.00 to 99999999.99.")
    return ""


def price_errors(operator: ByOperator | None, skus: list[str]) -> list[FieldError]:
    """Return an error for each line whose price by hand can't be kept."""
    found = []
    for position, sku in enumerate(skus):
        by_hand = operator.prices.get(sku) if operator else None
        message = price_error(by_hand) if by_hand else ""
        if message:
            found.append(FieldError(f"lines.{position}.price", message))
    return found
