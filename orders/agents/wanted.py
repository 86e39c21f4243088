"""What an agent wants, as it is kept in the row of its cart or checkout.

An update replaces what it names: lines always, the other parts if the request has them. So an agent
needn't repeat a buyer that it has sent (rest.openapi.json, update_checkout).
"""

from typing import Any

from orders.agents.schemas.buying import BuyerIn, CartIn, CheckoutIn, FulfillmentIn, PaymentIn

Wanted = dict[str, Any]


def cart_wanted(sent: CartIn, before: Wanted | None = None) -> Wanted:
    """Return what the cart holds after this request."""
    wanted = dict(before or {})
    lines: dict[str, int] = {}
    for line in sent.line_items:  # a SKU on two lines is merged, as in orders
        lines[line.item.id] = lines.get(line.item.id, 0) + line.quantity
    wanted["lines"] = [[sku, quantity] for sku, quantity in lines.items()]
    if sent.buyer is not None:
        wanted["buyer"] = buyer(sent.buyer)
    if sent.context is not None:
        wanted["context"] = sent.context.model_dump()
    if sent.discounts is not None:
        wanted["codes"] = list(dict.fromkeys(sent.discounts.codes))
    return wanted


def checkout_wanted(sent: CheckoutIn, before: Wanted | None = None) -> Wanted:
    """Return what the checkout holds after this request."""
    wanted = cart_wanted(sent, before)
    if sent.fulfillment is not None:
        wanted["delivery"] = _delivery(sent.fulfillment, wanted.get("delivery"))
    if sent.payment is not None:
        wanted["instruments"] = instruments(sent.payment)
    return wanted


def buyer(sent: BuyerIn) -> dict[str, str]:
    return {name: value for name, value in sent.model_dump().items() if value}


def instruments(sent: PaymentIn) -> list[dict[str, Any]]:
    """Return the instruments without what pays: a credential is never kept and never told."""
    return [
        {
            "id": one.id or f"instrument_{position}",
            "handler_id": one.handler_id,
            "type": one.type,
            "selected": bool(one.selected),
        }
        for position, one in enumerate(sent.instruments, 1)
    ]


def _delivery(sent: FulfillmentIn, before: dict[str, Any] | None) -> dict[str, Any]:
    """Return the first method: an order has one delivery.

    Destinations that the shop knows already needn't be sent again with a new choice.
    """
    if not sent.methods:
        return {}
    method = sent.methods[0]
    before = before or {}
    destinations = [
        {
            **{name: text for name, text in place.model_dump().items() if text},
            "id": place.id or f"dest_{position}",
        }
        for position, place in enumerate(method.destinations, 1)
    ] or before.get("destinations", [])
    known = [place["id"] for place in destinations]
    chosen = method.selected_destination_id or before.get("destination")
    if chosen not in known:
        chosen = known[0] if len(known) == 1 else None
    option = method.groups[0].selected_option_id if method.groups else before.get("option")
    return {
        "type": method.type,
        "destinations": destinations,
        "destination": chosen,
        "option": option,
    }
