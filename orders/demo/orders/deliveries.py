"""The delivery of demo orders: a flat rate's quote, as an order keeps it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import override

from notifications.channels.deadline import Deadline
from orders.placing.pricing import frozen_quote
from orders.quotes.carriers.flat_rate import FlatRate
from orders.quotes.parcel import Parcel
from project.conf.delivery import ELSEWHERE

PRICE = Decimal("4.90")
QUOTED = 0.7
"""The share of the delivered orders with a quote: others are from before there were carriers."""
FREE = Decimal("0.00")


@dataclass(frozen=True)
class Delivery:
    """An order's delivery: what it keeps of its quote, and the price."""

    kept: dict[str, Any]
    price: Decimal


NONE = Delivery({}, FREE)
"""That of an order without a quote."""


def quoted_deliveries() -> dict[str, Delivery]:
    """Return the delivery by the flat rate in each language."""
    carrier = FlatRate({ELSEWHERE: PRICE}, days=settings.DELIVERY_DAYS)
    found = {}
    for language, _name in settings.LANGUAGES:
        with override(language):
            (quote,) = carrier.ask(Parcel(items=()), Deadline(1)).quotes
        found[language] = Delivery(frozen_quote(quote), quote.price)
    return found
