"""Tells the repeat of an order from another order under the same key."""

from typing import Any

from orders.models import Order, OrderEvent, OrderLine
from orders.placing.by_operator import by_operator_of
from orders.placing.request import ChosenDelivery, OrderRequest, RequestedLine


def is_repeat(request: OrderRequest, *, of: Order) -> bool:
    """Return True if the request is the one that placed the order.

    An order's fingerprint is of its content as it was understood when it was placed. An update may
    understand the same text in another way (since 0016, an e-mail address has one form), so if the
    fingerprints differ, the request is compared with the order's own rows.
    """
    fingerprint = request.fingerprint()
    return fingerprint == of.fingerprint or fingerprint == _request_of(of).fingerprint()


def _request_of(order: Order) -> OrderRequest:
    """Return what the order's rows say, as a request; its key isn't stored."""
    lines = order.lines.prefetch_related("uploads")
    contact = _contact_as_placed(order)
    return OrderRequest(
        source=Order.Source(order.door),
        key="",
        language=order.language,
        **contact,
        lines=tuple(part for line in lines for part in _parts(line)),
        operator=by_operator_of(order),
        delivery=_delivery(order),
        voucher=order.voucher_code,
    )


def _delivery(order: Order) -> ChosenDelivery | None:
    quote = order.delivery
    return ChosenDelivery(quote["carrier"], quote["service"]) if quote else None


def _contact_as_placed(order: Order) -> dict[str, Any]:
    """Return the contact that the order was placed with: it may have been corrected since."""
    contact: dict[str, Any] = {
        "name": order.name,
        "email": order.email,
        "phone": order.phone,
        "address": order.address,
    }
    corrections = order.events.filter(kind=OrderEvent.Kind.CORRECTED).order_by("-pk")
    for detail in corrections.values_list("detail", flat=True):
        contact |= detail["old"]
    return contact


def _parts(line: OrderLine) -> list[RequestedLine]:
    """Return the line's units with each upload, and those without one."""
    parts = [
        RequestedLine(line.sku, upload.quantity or 0, str(upload.token))
        for upload in line.uploads.all()
    ]
    plain = line.quantity - sum(part.quantity for part in parts)
    return [*parts, RequestedLine(line.sku, plain)]
