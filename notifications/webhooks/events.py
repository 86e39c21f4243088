"""The table of events that an endpoint may ask for."""

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

ORDER_EVENTS: dict[str, str | Promise] = {
    "order.placed": _("Order placed"),
    "order.part_paid": _("Paid in part"),
    "order.paid": _("Order paid"),
    "order.overpaid": _("Paid without need"),
    "order.payment_undone": _("Payment undone"),
    "order.payment_checked": _("Payment checked"),
    "order.packed": _("Order packed"),
    "order.shipped": _("Order shipped"),
    "order.parcel_corrected": _("Parcel corrected"),
    "order.delivered": _("Order delivered"),
    "order.cancelled": _("Order cancelled"),
    "order.part_refunded": _("Refunded in part"),
    "order.refunded": _("Order refunded"),
    "order.return_requested": _("Return requested"),
    "order.return_accepted": _("Return accepted"),
    "order.return_refused": _("Return refused"),
    "order.return_withdrawn": _("Return withdrawn"),
    "order.return_received": _("Return received"),
    "order.corrected": _("Contact corrected"),
    "order.media_ready": _("Media ready"),
}
"""An event for each kind of entry in an order's timeline that other systems may need."""
EVENTS: dict[str, str | Promise] = {
    **ORDER_EVENTS,
    "refund.owed": _("Refund owed"),
    "refund.paid_out": _("Refund paid out"),
    "stock.low": _("Low stock"),
    "stock.back": _("Stock is back"),
    "product.changed": _("Product changed"),
    "message.failed": _("Message failed for good"),
}
ALL = "all"
"""The choice of the form that stands for all events of today: a row has their names."""
TEST = "endpoint.test"
"""The event of the test button; each endpoint gets it."""


def event_label(name: str) -> str | Promise:
    """Return the event as people read it; an unknown one as it is."""
    return _("Test") if name == TEST else EVENTS.get(name, name)


def choices() -> Iterable[tuple[str, str | Promise]]:
    """Yield all of them as one choice, then the events as (name, label with the name)."""
    yield ALL, _("All events")
    yield from (
        (name, format_html("{} <code>{}</code>", label, name)) for name, label in EVENTS.items()
    )


def chosen_events(chosen: Iterable[str]) -> list[str]:
    """Return the names of the chosen events; `ALL` stands for each that there is today."""
    names = set(chosen)
    return [name for name in EVENTS if name in names or ALL in names]
