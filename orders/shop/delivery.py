"""How an order of the checkout is handed over, and what that costs by the carriers' quotes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.placing.request import ChosenDelivery, RequestedLine, merged
from orders.quotes.basket import UnknownProducts, quotes_for
from orders.quotes.carriers import used_carriers
from orders.quotes.carriers.pickup import NAME as PICKUP
from orders.quotes.limit import TooManyQuestions
from orders.quotes.parcel import Missing, Quote


@dataclass(frozen=True)
class DeliveryOffer:
    """The quotes among which the shopper chooses, and why some carriers have none."""

    quotes: Sequence[Quote] = ()
    missing: Sequence[Missing] = ()
    chosen: Quote | None = None
    """The shopper's choice; the cheapest, if it isn't offered or none was made."""
    is_asked: bool = False
    is_too_often: bool = False
    """The shopper had carriers asked very often: they aren't asked now."""

    @property
    def notes(self) -> list[tuple[str, str]]:
        """What shoppers are told of a carrier that has no quote, or fewer: each sentence once."""
        told = [(one.carrier, one.for_shoppers) for one in self.missing if one.for_shoppers]
        return list(dict.fromkeys(told))

    @property
    def price(self) -> Decimal:
        return self.chosen.price if self.chosen else Decimal(0)


NOT_ASKED = DeliveryOffer()


def handovers() -> list[tuple[str, str | Promise]]:
    """Return the ways in which the shop hands an order over."""
    ways: list[tuple[str, str | Promise]] = [("delivery", _("Deliver to an address"))]
    if settings.DELIVERY_PICKUP:
        ways.insert(0, ("pickup", _("Pick up in the shop")))
    return ways


def delivers_at_a_price() -> bool:
    """Tell whether the shop has carriers. Without any, a delivery costs nothing."""
    return any(carrier.needs_address for carrier in used_carriers())


def offer_of(
    *,
    address: Mapping[str, str],
    lines: Sequence[RequestedLine],
    chosen: ChosenDelivery | None,
    counted_address: str,
) -> DeliveryOffer:
    """Return what the carriers offer for a whole address. It may take 1.5 s."""
    try:
        found = quotes_for(
            address=address, quantities=merged(lines), counted_address=counted_address
        )
    except UnknownProducts:
        return NOT_ASKED  # the page tells what is no longer on sale
    except TooManyQuestions:
        return DeliveryOffer(is_too_often=True)
    quotes = [quote for quote in found.quotes if quote.carrier != PICKUP]
    choice = found.find(chosen.carrier, chosen.service) if chosen else None
    return DeliveryOffer(
        quotes=quotes,
        missing=found.missing,
        chosen=choice or next(iter(quotes), None),
        is_asked=True,
    )
