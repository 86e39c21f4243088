"""How a checkout is handed over: destinations, and the carriers' quotes as options.

An order has one delivery, so there is one method with one group. Whoever names no destination picks
the goods up, if the shop has that; pick-up is the last option of each group.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.agents.basket import Basket
from orders.agents.envelope import Message, error, info, total, warning
from orders.agents.wanted import Wanted
from orders.placing.errors import InvalidOrder
from orders.placing.request import ChosenDelivery, check_postcode, clean_country
from orders.quotes.basket import UnknownProducts, quotes_for
from orders.quotes.carriers import used_carriers
from orders.quotes.carriers.pickup import NAME as PICKUP
from orders.quotes.limit import TooManyQuestions
from orders.quotes.parcel import Quote

METHOD, GROUP, SHOP = "delivery", "parcel", "shop"
_PARTS = {
    "line1": "street_address",
    "line2": "extended_address",
    "city": "address_locality",
    "region": "address_region",
    "postcode": "postal_code",
    "country": "address_country",
}
"""The protocol's names of the parts of an address."""
_ROOT = "$.fulfillment.methods[0]"


@dataclass(frozen=True)
class Handover:
    """How the order would be handed over now."""

    shown: dict[str, Any]
    """The member `fulfillment` of an answer."""
    messages: list[Message] = field(default_factory=list)
    address: dict[str, str] = field(default_factory=dict)
    """Empty: it is picked up."""
    quote: Quote | None = None
    name: str = ""
    """The recipient's, if the destination has one."""
    phone: str = ""

    @property
    def chosen(self) -> ChosenDelivery | None:
        if self.quote is None:
            return None
        return ChosenDelivery(self.quote.carrier, self.quote.service)


def option_id(quote: Quote) -> str:
    return f"{quote.carrier}.{quote.service}"


def handover_of(wanted: Wanted, basket: Basket, *, counted_address: str) -> Handover:
    """Return how the basket is handed over. It may take 1.5 s while carriers are asked."""
    sent: dict[str, Any] = wanted.get("delivery") or {}
    position, place = _destination(sent)
    address = {ours: place.get(theirs, "") for ours, theirs in _PARTS.items()}
    address["country"] = address["country"].upper()
    quotes, messages, is_silent = _quotes(address, basket, counted_address)
    chosen = next((quote for quote in quotes if option_id(quote) == sent.get("option")), None)
    is_picked_up = sent.get("type") == PICKUP or (chosen is not None and chosen.carrier == PICKUP)
    if sent.get("type") == PICKUP:
        quotes = [quote for quote in quotes if quote.carrier == PICKUP]
        chosen = chosen or next(iter(quotes), None)
    shown = _shown(sent, basket, quotes, chosen)
    if not place and not is_picked_up:
        return Handover(shown, [*messages, *_undecided(sent)])
    if is_picked_up:
        if chosen is None and basket.lines:
            text = _("This shop has no pick-up.")
            messages.append(error("address_undeliverable", text, path=_ROOT))
        return _of_person(Handover(shown, messages, quote=chosen), place)
    messages += _address_errors(address, position)
    # Nobody was asked about a basket without lines: nothing is said of its delivery.
    if (
        chosen is None
        and basket.lines
        and not any(message["type"] == "error" for message in messages)
    ):
        messages += _no_option(sent, quotes, is_silent=is_silent)
    kept = {part: text for part, text in address.items() if text}
    return _of_person(Handover(shown, messages, kept, chosen), place)


def postal(address: dict[str, str]) -> dict[str, str]:
    """Return an order's address in the protocol's words."""
    return {theirs: address[ours] for ours, theirs in _PARTS.items() if address.get(ours)}


def _destination(sent: dict[str, Any]) -> tuple[int, dict[str, str]]:
    """Return the selected destination with its position; an empty one if none is selected."""
    places: list[dict[str, str]] = sent.get("destinations", [])
    selected = (each for each in enumerate(places) if each[1]["id"] == sent.get("destination"))
    return next(selected, (0, {}))


def _quotes(
    address: dict[str, str], basket: Basket, counted_address: str
) -> tuple[list[Quote], list[Message], bool]:
    """Return the quotes, what is said of them, and whether a carrier is silent for the moment."""
    if not basket.lines:
        return [], [], False
    try:
        found = quotes_for(
            address=address, quantities=basket.quantities, counted_address=counted_address
        )
    except UnknownProducts:  # gone in this moment: the next request tells
        return [], [], False
    except TooManyQuestions as error_:
        text = _("Carriers were asked too often. Ask again in %(seconds)d seconds.")
        text %= {"seconds": error_.retry_after}
        return [], [error("fulfillment_unavailable", text, path=_ROOT)], False
    told = dict.fromkeys(
        f"{one.carrier}: {one.for_shoppers}" for one in found.missing if one.for_shoppers
    )
    notes = [info("carrier_missing", text, path=_ROOT) for text in told if address["country"]]
    return list(found.quotes), notes, any(one.why.is_passing for one in found.missing)


def _undecided(sent: dict[str, Any]) -> list[Message]:
    """Return what is said where nothing tells how the order is handed over.

    Of several destinations one is meant: the order isn't picked up because none is selected.
    """
    if sent.get("destinations"):
        text = _("Choose one of the destinations.")
        return [_field_required(text, f"{_ROOT}.selected_destination_id")]
    if settings.DELIVERY_PICKUP:
        text = _("Without a destination it is picked up in the shop.")
        return [warning("pickup", text, path="$.fulfillment")]
    return [_field_required(_("Send a destination."), f"{_ROOT}.destinations")]


def _no_option(sent: dict[str, Any], quotes: Sequence[Quote], *, is_silent: bool) -> list[Message]:
    if not [quote for quote in quotes if quote.carrier != PICKUP]:
        if not any(carrier.needs_address for carrier in used_carriers()):
            return []  # a shop without carriers delivers at no price
        if is_silent:
            text = _("No carrier answers at the moment. Ask again in a little while.")
            return [error("fulfillment_unavailable", text, path=_ROOT)]
        text = _("Nobody delivers there.")
        return [error("address_undeliverable", text, path=f"{_ROOT}.destinations")]
    path = f"{_ROOT}.groups[0].selected_option_id"
    if sent.get("option"):
        text = _("There is no such option (any more). Choose one of those that are offered.")
        return [error("fulfillment_option_unavailable", text, path=path)]
    return [_field_required(_("Choose how it is delivered."), path)]


def _address_errors(address: dict[str, str], position: int) -> list[Message]:
    path = f"{_ROOT}.destinations[{position}]"
    messages = [
        _field_required(_("This field is required."), f"{path}.{_PARTS[part]}")
        for part in ("line1", "city", "country")
        if not address[part]
    ]
    try:
        if address["country"]:
            clean_country(address["country"])
            check_postcode(address["postcode"], country=address["country"])
    except InvalidOrder as invalid:
        for each in invalid.errors:
            part = each.field.removeprefix("address.")
            messages.append(
                error("invalid_address", each.message, path=f"{path}.{_PARTS.get(part, part)}")
            )
    return messages


def _field_required(text: str, path: str) -> Message:
    return error("field_required", text, path=path)


def _of_person(handover: Handover, place: dict[str, str]) -> Handover:
    """Add who gets it, if the destination says so."""
    name = " ".join(filter(None, (place.get("first_name"), place.get("last_name"))))
    return replace(handover, name=name, phone=place.get("phone_number", ""))


def _shown(
    sent: dict[str, Any], basket: Basket, quotes: Sequence[Quote], chosen: Quote | None
) -> dict[str, Any]:
    ids = list(basket.quantities)
    is_pickup = sent.get("type") == PICKUP
    shop = [{"id": SHOP, "name": settings.SHOP_NAME}]
    return {
        "methods": [
            {
                "id": METHOD,
                "type": sent.get("type") or "shipping",
                "line_item_ids": ids,
                "destinations": shop if is_pickup else sent.get("destinations", []),
                "selected_destination_id": SHOP if is_pickup else sent.get("destination"),
                "groups": [
                    {
                        "id": GROUP,
                        "line_item_ids": ids,
                        "options": [_option(quote) for quote in quotes],
                        "selected_option_id": option_id(chosen) if chosen else None,
                    }
                ],
            }
        ]
    }


def _option(quote: Quote) -> dict[str, Any]:
    days = ngettext("Arrives within %(days)d day", "Arrives within %(days)d days", quote.days)
    return {
        "id": option_id(quote),
        "title": quote.label,
        **({"description": days % {"days": quote.days}} if quote.days else {}),
        "totals": [total("total", quote.price)],
    }
