"""The parcel of an order, and the carrier's page that shows where it is."""

from dataclasses import dataclass
from urllib.parse import quote

from django.conf import settings

from orders.models import Order, OrderEvent
from project.conf.delivery import NUMBER

KINDS = (OrderEvent.Kind.SHIPPED, OrderEvent.Kind.PARCEL_CORRECTED)


@dataclass(frozen=True)
class Parcel:
    carrier: str
    number: str
    """The tracking number; empty if the parcel has none."""

    @property
    def url(self) -> str:
        """The carrier's page about the parcel; empty if TRACKING_LINKS has none."""
        page = settings.TRACKING_LINKS.get("".join(self.carrier.lower().split()), "")
        return page.replace(NUMBER, quote(self.number, safe="")) if self.number else ""


def parcel_of(order: Order) -> Parcel | None:
    """Return the order's parcel, as it was corrected last; None before it is shipped."""
    if order.status not in (Order.Status.SHIPPED, Order.Status.DELIVERED):
        return None
    event = order.events.filter(kind__in=KINDS).order_by("-pk").first()
    if event is None:
        return None
    return Parcel(event.detail.get("carrier", ""), event.detail.get("tracking_number", ""))
