"""What an agent has chosen, handed to a person: into the cart, and into the checkout's form.

The cart gets the session's id as its order's key. So the agent finds the order that the person
places, and neither of them orders twice.
"""

from typing import Any

from django.http import HttpRequest

from orders.carts.cart import CartFullError, cart_of
from orders.catalogue.browsing import products_on_sale
from orders.models import AgentCheckout
from orders.models.product import IS_SOLD
from orders.quotes.carriers import used_carriers
from orders.quotes.carriers.pickup import NAME as PICKUP
from orders.shop.drafts import address_of, keep_draft

_PARTS = {
    "line1": "street_address",
    "line2": "extended_address",
    "city": "address_locality",
    "region": "address_region",
    "postcode": "postal_code",
    "country": "address_country",
}


def take_lines(request: HttpRequest, wanted: dict[str, Any]) -> None:
    """Let the shopper's cart have the lines; what it has of other products stays."""
    cart = cart_of(request)
    quantities: dict[str, int] = dict(map(tuple, wanted.get("lines", ())))
    here = {line.sku for line in cart.lines}
    for product in products_on_sale().filter(IS_SOLD, sku__in=quantities):
        if product.requires_upload:
            continue  # its page asks for the picture or video first
        if product.sku in here:
            cart.set(product.sku, quantities[product.sku])
            continue
        try:
            cart.add(product, quantities[product.sku])
        except CartFullError:
            return


def fill_in(request: HttpRequest, checkout: AgentCheckout) -> str:
    """Fill in the checkout with what the agent knows; return the page's address."""
    wanted = checkout.wanted
    take_lines(request, wanted)
    cart_of(request).order_under(checkout.pk.hex)
    draft = keep_draft(request.session, fields=_fields(wanted), answer={})
    return address_of(draft)


def _fields(wanted: dict[str, Any]) -> dict[str, list[str]]:
    """Return the form's fields, as a browser would send them."""
    buyer = wanted.get("buyer") or {}
    delivery = wanted.get("delivery") or {}
    chosen = delivery.get("destination")
    place: dict[str, str] = next(
        (one for one in delivery.get("destinations", ()) if one["id"] == chosen), {}
    )
    name = " ".join(filter(None, (buyer.get("first_name"), buyer.get("last_name"))))
    fields = {
        "email": buyer.get("email", ""),
        "name": name,
        "phone": buyer.get("phone_number", ""),
        "voucher": next(iter(wanted.get("codes", ())), ""),
        "handover": _handover(delivery, place),
        "delivery": _quote(delivery.get("option") or ""),
        **{ours: place.get(theirs, "") for ours, theirs in _PARTS.items()},
    }
    return {field: [value] for field, value in fields.items() if value}


def _handover(delivery: dict[str, Any], place: dict[str, str]) -> str:
    """Return how the agent would have it handed over; empty if it hasn't said."""
    option = delivery.get("option") or ""
    if delivery.get("type") == PICKUP or option.startswith(f"{PICKUP}."):
        return "pickup"
    return "delivery" if place.get("street_address") else ""


def _quote(option: str) -> str:
    """Return the chosen option as the form has it, `carrier/service`; empty if there is none."""
    for carrier in used_carriers():
        if carrier.name != PICKUP and option.startswith(f"{carrier.name}."):
            return f"{carrier.name}/{option.removeprefix(f'{carrier.name}.')}"
    return ""
