"""The orders of a user: those placed while signed in, and guest orders by the confirmed e-mail."""

from collections.abc import Iterable
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.db.models import Prefetch, Q, QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from notifications.events import EVENTS
from orders.accounts.unsubscribe import unsubscribe_url
from orders.models import Order, OrderEvent, OrderLine, User
from orders.models.product import PREFETCH_MEDIA
from project.text import isolate

Kind, Status = OrderEvent.Kind, Order.Status
PARCEL = ("carrier", "tracking_number")
PICTURES = 4
"""The number of lines of which the history shows the picture."""


def orders_of(user: User) -> QuerySet[Order]:
    """Return the user's orders, newest first.

    Guest orders are found by the user's confirmed e-mail addresses. An order that another user
    placed while signed in belongs to that user, whatever its e-mail address is; when that account
    is deleted, it belongs to nobody.
    """
    # A separate query: with a join PostgreSQL would scan all orders.
    confirmed = EmailAddress.objects.filter(user=user, verified=True)
    emails = [email.lower() for email in confirmed.values_list("email", flat=True)]
    orders = Order.objects.alias(email_in_small=Lower("email"))
    as_guest = Q(user=None, account_deleted=False, email_in_small__in=emails)
    return orders.filter(Q(user=user) | as_guest).order_by("-number")


@dataclass(frozen=True)
class PastOrder:
    """An order as its shopper's history shows it."""

    order: Order
    pictured: list[OrderLine]
    """The first lines, with pictures."""
    more: int
    """The number of lines after them."""
    state: str
    """What became of it, in words."""
    parcel: str
    """Carrier and tracking number, once it was sent."""


def past_orders(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Read what `as_past` needs: seven queries, or ten if a picture is being replaced."""
    parcels = OrderEvent.objects.filter(kind__in=(Kind.SHIPPED, Kind.PARCEL_CORRECTED))
    return orders.prefetch_related(
        *(f"lines__product__{path}" for path in PREFETCH_MEDIA),
        Prefetch("events", queryset=parcels.order_by("pk"), to_attr="parcels"),
    )


def as_past(orders: Iterable[Order]) -> list[PastOrder]:
    """Return the orders of `past_orders` as the page shows them."""
    shown = []
    for order in orders:
        lines = list(order.lines.all())
        parcel = _parcel(order)
        shown.append(
            PastOrder(
                order=order,
                pictured=lines[:PICTURES],
                more=len(lines[PICTURES:]),
                state=state_in_words(order),
                parcel=parcel if order.status in (Status.SHIPPED, Status.DELIVERED) else "",
            )
        )
    return shown


def _parcel(order: Order) -> str:
    """Return the last parcel event's carrier and number: a correction replaces what it corrects."""
    parcels: list[OrderEvent] = order.parcels  # type: ignore[attr-defined]
    if not parcels:
        return ""
    detail = parcels[-1].detail
    return " · ".join(isolate(detail[key]) for key in PARCEL if detail.get(key))


def state_in_words(order: Order) -> str:
    """Return what has happened to the order and what comes next."""
    is_pickup = not order.address
    match order.status:
        case Status.PLACED if order.total > 0:
            return _("Set aside for you. We wait for your payment.")
        case Status.PLACED | Status.PAID:
            return _("We pack it next.")
        case Status.PACKED if is_pickup:
            return _("Packed: you can pick it up.")
        case Status.PACKED:
            return _("Packed. We send it next.")
        case Status.SHIPPED:
            return _("On its way to you.")
        case Status.DELIVERED if is_pickup:
            return _("Picked up.")
        case Status.DELIVERED:
            return _("Delivered.")
        case Status.CANCELLED:
            return _("Cancelled. Nothing will be sent.")
    return _("Refunded. You have your money back, or it is on its way.")


def owners_of(order: Order) -> QuerySet[User]:
    """Return the users whose order it is, by the rule of `orders_of`."""
    if order.account_deleted:
        return User.objects.none()
    if order.user_id:
        return User.objects.filter(pk=order.user_id)
    return User.objects.filter(emailaddress__email=order.email.lower(), emailaddress__verified=True)


def account_of(email: str) -> int | None:
    """Return the id of the user who has confirmed the address, if any."""
    confirmed = EmailAddress.objects.filter(email=email.lower(), verified=True)
    return confirmed.values_list("user_id", flat=True).first()


def is_muted(event: str, *, order: Order) -> bool:
    """Return True if the order's shopper switched this message off and the event is optional."""
    if not EVENTS[event].may_opt_out:
        return False
    return owners_of(order).filter(muted_events__contains=[event]).exists()


def opt_out_context(event: str, *, order: Order) -> dict[str, str]:
    """Return the message context's unsubscribe link, for an optional event.

    A guest gets none: without an account the shop can't store the choice.
    """
    if not EVENTS[event].may_opt_out:
        return {}
    owner = owners_of(order).first()
    return {"unsubscribe_url": unsubscribe_url(user_id=owner.pk, event=event)} if owner else {}
