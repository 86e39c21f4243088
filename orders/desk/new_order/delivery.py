"""The carriers' quotes among which the operator chooses, with what has changed since the page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from orders.quotes.parcel import Quote
from orders.shop.delivery import DeliveryOffer


@dataclass(frozen=True)
class ShownQuote:
    """A quote as the page offers it."""

    quote: Quote
    is_chosen: bool
    price_before: Decimal | None
    """What the page showed, if it is another price now."""

    @property
    def value(self) -> str:
        """What the form sends if it is chosen."""
        return f"{self.quote.carrier}/{self.quote.service}"

    @property
    def seen_name(self) -> str:
        """The form's hidden field that has the shown price."""
        return f"seen-{self.value}"


def shown_quotes(offer: DeliveryOffer, *, seen: Mapping[str, str]) -> Iterator[ShownQuote]:
    """Yield the offer's quotes; `seen` is the form that was sent for the prices that it shows."""
    for quote in offer.quotes:
        shown = ShownQuote(quote, is_chosen=quote == offer.chosen, price_before=None)
        before = read_amount(seen.get(shown.seen_name, ""))
        if before is not None and before != quote.price:
            shown = ShownQuote(quote, is_chosen=shown.is_chosen, price_before=before)
        yield shown


def read_amount(text: str) -> Decimal | None:
    """Return the amount; None if the text is none."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
