"""What of a carrier's answer makes sense: the rest is left out, each service with its reason."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings

from orders.quotes.carrier import Answer, UnreadableAnswerError
from orders.quotes.parcel import Missing, Quote, Why
from project.text import clean

MOST_SERVICES = 20
DEAREST = Decimal(10_000)
LONGEST = 365
"""Days."""
SERVICE_PATTERN = r"^[A-Za-z0-9._-]{1,40}$"
_PRICE = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,2})?", re.ASCII)


def sensible(carrier: str, said: Sequence[Any]) -> Answer:
    """Return the quotes that can be used, and why others can't.

    Of a service that is quoted twice the first quote counts. Raises UnreadableAnswerError for what
    isn't a list of services at all.
    """
    if len(said) > MOST_SERVICES:
        raise UnreadableAnswerError(f"{len(said)} services")
    quotes: dict[str, Quote] = {}
    missing: list[Missing] = []
    for one in said:
        service = one.get("service") if isinstance(one, dict) else None
        if not isinstance(service, str) or not re.fullmatch(SERVICE_PATTERN, service):
            raise UnreadableAnswerError("a quote without a service")
        if service in quotes:
            missing.append(Missing(carrier, Why.TWICE, service))
        elif fault := _fault(one):
            missing.append(Missing(carrier, fault, service))
        else:
            quotes[service] = Quote(
                carrier=carrier,
                service=service,
                label=_label(one, carrier, service),
                price=Decimal(one["price"]).quantize(Decimal("0.01")),
                days=one["days"],
            )
    if not quotes and not missing:
        missing.append(Missing(carrier, Why.NOT_THERE))
    return Answer(tuple(quotes.values()), tuple(missing))


def _fault(one: dict[str, Any]) -> Why | None:
    price, days = one.get("price"), one.get("days")
    # Text, as in all our JSON: a number's decimal places are the parser's business.
    if not isinstance(price, str) or not _PRICE.fullmatch(price):
        return Why.PLACES
    if Decimal(price) < 0 or price.startswith("-"):
        return Why.NEGATIVE
    if one.get("currency") != settings.SHOP_CURRENCY:
        return Why.CURRENCY
    if Decimal(price) > DEAREST:
        return Why.ABSURD
    if type(days) is not int or not 0 <= days <= LONGEST:
        return Why.DAYS
    return None


def _label(one: dict[str, Any], carrier: str, service: str) -> str:
    """Return the carrier's own words, cleaned, or the two names."""
    said = one.get("label")
    label = " ".join(clean(said, longest=60).split()) if isinstance(said, str) else ""
    return label or f"{carrier} {service}"
