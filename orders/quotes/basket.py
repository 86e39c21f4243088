"""`quotes_for`, which checkout and API call, and `chosen_quote`, by which an order is priced."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.db import connection

from orders.models import Product
from orders.quotes.asking import ask_all
from orders.quotes.carrier import Answer, Carrier
from orders.quotes.carriers import used_carriers
from orders.quotes.carriers.pickup import NAME as PICKUP
from orders.quotes.keeping import FRESH, VALID, keep_answers, kept_answers
from orders.quotes.limit import count_question
from orders.quotes.parcel import Missing, Parcel, Quote, Quotes, parcel_of


class UnknownProducts(LookupError):
    """Some products aren't on sale; `skus` says which."""

    def __init__(self, skus: Iterable[str]) -> None:
        self.skus = frozenset(skus)
        super().__init__(", ".join(sorted(self.skus)))


class UnknownCarrier(LookupError):
    """The shop has no carrier of this name."""


class NotQuoted(Exception):
    """The carrier doesn't quote this service (any more); `reason` is for shoppers, or empty."""

    def __init__(self, reason: str = "") -> None:
        self.reason = reason
        super().__init__(reason)


def quotes_for(
    *, address: Mapping[str, str], quantities: Mapping[str, int], counted_address: str = ""
) -> Quotes:
    """Return what all carriers quote for these units by SKU, and why some don't.

    `address` has the keys of an order's; country is needed, postcode and city make it exact, and
    without a country there is pick-up only. It takes up to 1.5 s while a remote carrier is asked,
    and one or two queries; call it outside any transaction. `counted_address` is the client's, by
    which questions are counted. Raises UnknownProducts, and TooManyQuestions.
    """
    on_sale = Product.objects.filter(sku__in=list(quantities), is_active=True)
    weights = dict(on_sale.values_list("sku", "weight"))
    if unknown := quantities.keys() - weights.keys():
        raise UnknownProducts(unknown)
    parcel = parcel_of(quantities, weights=weights, address=address)
    answers = _answers(used_carriers(), parcel, within=FRESH, counted_address=counted_address)
    return _sorted(answers.values())


def is_remote(carrier: str) -> bool:
    """Tell whether the shop has a carrier of this name and asks it over the network."""
    return any(each.is_remote for each in used_carriers() if each.name == carrier)


def chosen_quote(parcel: Parcel, *, carrier: str, service: str) -> Quote:
    """Return the quote that the shopper chose: the kept one while it is valid, else a new one.

    Raises UnknownCarrier and NotQuoted. Of a remote carrier call it outside any transaction, and
    without holding what others wait for.
    """
    chosen = [each for each in used_carriers() if each.name == carrier]
    if not chosen:
        raise UnknownCarrier(carrier)
    answers = _answers(chosen, parcel, within=VALID, counted_address="")
    quotes = _sorted(answers.values())
    if found := quotes.find(carrier, service):
        return found
    missing = [each for each in quotes.missing if each.service in ("", service)]
    raise NotQuoted(" ".join(filter(None, (each.for_shoppers for each in missing))))


def _answers(
    carriers: list[Carrier], parcel: Parcel, *, within: timedelta, counted_address: str
) -> dict[str, Answer]:
    """Return the answer of each carrier, kept ones first; keep the new ones."""
    keys = {
        carrier.name: parcel.key(carrier.name)
        for carrier in carriers
        if carrier.is_remote and parcel.country
    }
    kept = kept_answers(keys, within=within) if keys else {}
    if counted_address and keys.keys() - kept.keys():
        count_question(counted_address)
    if keys.keys() - kept.keys() and not connection.in_atomic_block:
        # While carriers are asked, the connection is free for other requests.
        connection.close()
    asked = ask_all([each for each in carriers if each.name not in kept], parcel)
    new = {
        keys[name]: answer
        for name, answer in asked.items()
        if name in keys and not any(missing.why.is_passing for missing in answer.missing)
    }
    if new:
        keep_answers(new)
    return {each.name: (kept | asked)[each.name] for each in carriers}


def _sorted(answers: Iterable[Answer]) -> Quotes:
    quotes: list[Quote] = []
    missing: list[Missing] = []
    for answer in answers:
        quotes += answer.quotes
        missing += answer.missing
    quotes.sort(key=lambda quote: (quote.carrier == PICKUP, quote.price, quote.days))
    return Quotes(tuple(quotes), tuple(missing))
