"""What is asked for and what is answered: a parcel, its quotes, and why some are missing."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from uuid import UUID

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Item:
    """Units of one product."""

    sku: str
    quantity: int
    weight: int
    """Grams of one unit."""


@dataclass(frozen=True)
class Parcel:
    """A basket and where it goes. It has nothing of an address but what a price depends on."""

    items: tuple[Item, ...]
    """In the order of their SKUs, each once."""
    country: str = ""
    """ISO 3166-1 alpha-2; empty: no address is known, so it can only be picked up."""
    postcode: str = ""
    city: str = ""

    @property
    def weight(self) -> int:
        """Grams."""
        return sum(item.quantity * item.weight for item in self.items)

    def key(self, carrier: str) -> UUID:
        """Return the key of the carrier's quotes for this parcel: equal parcels have equal keys."""
        asked = [
            *(carrier, settings.SHOP_CURRENCY, self.country),
            *(self.postcode.casefold(), self.city.casefold()),
            [[item.sku, item.quantity, item.weight] for item in self.items],
        ]
        digest = hashlib.sha256(json.dumps(asked).encode()).digest()
        return UUID(bytes=digest[:16], version=4)


@dataclass(frozen=True)
class Quote:
    """A carrier's price for a parcel by one of its services, in the shop's currency."""

    carrier: str
    """The carrier's name in the settings."""
    service: str
    """The service's id at the carrier."""
    label: str
    """Both as people read them."""
    price: Decimal
    """With its tax."""
    days: int
    """Until the parcel is there, at most."""


class Why(Enum):
    """Why a carrier, or one of its services, is missing."""

    LATE = "late"
    FAILED = "failed"
    UNREADABLE = "unreadable"
    RESTING = "resting"
    """It kept failing, so it isn't asked for a while."""
    BUSY = "busy"
    """All threads that ask this carrier were taken until the deadline."""
    NOT_THERE = "not there"
    NO_ADDRESS = "no address"
    NEGATIVE = "negative"
    CURRENCY = "currency"
    PLACES = "places"
    ABSURD = "absurd"
    DAYS = "days"
    TWICE = "twice"

    @property
    def is_passing(self) -> bool:
        """It is of the moment, so the carrier is asked again."""
        return self in _PASSING


_PASSING = (Why.LATE, Why.FAILED, Why.UNREADABLE, Why.RESTING, Why.BUSY)
_WORDS: dict[Why, str | Promise] = {
    Why.LATE: _("It took too long to answer."),
    Why.FAILED: _("It doesn't answer at the moment."),
    Why.UNREADABLE: _("Its answer can't be read."),
    Why.RESTING: _("It didn't answer several times, so we ask it again a little later."),
    Why.BUSY: _("Too many shoppers ask it at the moment."),
    Why.NOT_THERE: _("It doesn't carry this to this address."),
    Why.NO_ADDRESS: _("It needs to know the address."),
    Why.NEGATIVE: _("“%(service)s” is left out: its price is below zero."),
    Why.CURRENCY: _("“%(service)s” is left out: its price is in another currency."),
    Why.PLACES: _("“%(service)s” is left out: its price isn't an amount of money."),
    Why.ABSURD: _("“%(service)s” is left out: its price is absurdly high."),
    Why.DAYS: _("“%(service)s” is left out: its days make no sense."),
    Why.TWICE: _("“%(service)s” is left out the second time: it was quoted twice."),
}
_UNUSABLE = _("One of its services isn't offered, because we have no price for it that we can use.")
_FOR_SHOPPERS: dict[Why, str | Promise] = {
    Why.UNREADABLE: _WORDS[Why.FAILED],
    Why.NEGATIVE: _UNUSABLE,
    Why.CURRENCY: _("One of its services isn't offered, because it has no price in our currency."),
    Why.PLACES: _UNUSABLE,
    Why.ABSURD: _UNUSABLE,
    Why.DAYS: _UNUSABLE,
    Why.TWICE: "",
}
"""What shoppers read instead. It has no word of the carrier's, such as its id of a service."""


@dataclass(frozen=True)
class Missing:
    """A carrier that has no quote, or left-out ones, with the reason."""

    carrier: str
    why: Why
    service: str = ""
    """The left-out service; empty: the carrier has none."""

    @property
    def reason(self) -> str:
        """A sentence for operators and programs, in the active language."""
        return str(_WORDS[self.why]) % {"service": self.service}

    @property
    def for_shoppers(self) -> str:
        """A sentence for shoppers, in the active language; empty if they miss nothing."""
        return str(_FOR_SHOPPERS.get(self.why, _WORDS[self.why]))


@dataclass(frozen=True)
class Quotes:
    """All that the carriers say about one parcel."""

    quotes: tuple[Quote, ...] = ()
    """The cheapest first; pick-up is the last."""
    missing: tuple[Missing, ...] = ()

    def find(self, carrier: str, service: str) -> Quote | None:
        """Return the quote of this service, if there is one."""
        for quote in self.quotes:
            if (quote.carrier, quote.service) == (carrier, service):
                return quote
        return None


def parcel_of(
    quantities: Mapping[str, int],
    *,
    weights: Mapping[str, int | None],
    address: Mapping[str, str],
) -> Parcel:
    """Return the parcel of these units by SKU.

    `weights` has the grams of one unit by SKU; a product without a weight has the setting's. Of
    the address (as an order's) it takes country, postcode and city.
    """
    return Parcel(
        items=tuple(
            Item(sku, quantity, _known(weights[sku]))
            for sku, quantity in sorted(quantities.items())
        ),
        country=address.get("country", ""),
        postcode=address.get("postcode", ""),
        city=address.get("city", ""),
    )


def _known(weight: int | None) -> int:
    return settings.DELIVERY_UNKNOWN_WEIGHT if weight is None else weight
