"""The four stages of an order on its page, and what comes next, in words for its shopper.

The words are true for each status, way to pay and kind of delivery: `test_stages` has the table.
"""

from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

from orders.models import Order
from orders.placing.payment_choice import AT_PICKUP, TRANSFER
from orders.shop.payment import PaymentState
from orders.shop.tracking import Parcel
from project.templatetags.money import money
from project.text import isolate

Status = Order.Status
State = Literal["done", "next", "later"]
OVER = (Status.CANCELLED, Status.REFUNDED)
PACKED = (Status.PACKED, Status.SHIPPED, Status.DELIVERED)


@dataclass(frozen=True)
class Stage:
    title: str
    state: State


@dataclass(frozen=True)
class Stages:
    rows: tuple[Stage, ...]
    """Empty for an order that is cancelled or refunded: it goes nowhere any more."""
    news: str
    """What became of the order so far, after its number: "is placed, …"."""
    next: str
    """What comes next, in a sentence or two; empty: nothing."""
    status: str
    """The status in a word."""


def stages_of(order: Order, payment: PaymentState, parcel: Parcel | None) -> Stages:
    """Return the stages of the order. It reads nothing."""
    return Stages(
        rows=() if order.status in OVER else _rows(order, payment),
        news=_news(order),
        next=_next(order, payment, parcel),
        status=_status(order),
    )


def _rows(order: Order, payment: PaymentState) -> tuple[Stage, ...]:
    is_picked_up = not order.address
    paid = (_("Paid"), order.status != Status.PLACED and not payment.due)
    if not order.total:
        paid = (_("Nothing to pay"), True)
    packed = (_("Ready to pick up") if is_picked_up else _("Packed"), order.status in PACKED)
    if is_picked_up:
        last = (_("Picked up"), order.status == Status.DELIVERED)
    elif order.status == Status.DELIVERED:
        last = (_("Delivered"), True)
    else:
        last = (_("On its way"), order.status == Status.SHIPPED)
    middle = [packed, paid] if order.payment_method == AT_PICKUP else [paid, packed]
    marks = [(_("Placed"), True), *middle, last]
    first_open = next((at for at, (_title, is_done) in enumerate(marks) if not is_done), None)
    return tuple(
        Stage(title, "done" if is_done else "next" if at == first_open else "later")
        for at, (title, is_done) in enumerate(marks)
    )


def _news(order: Order) -> str:
    is_picked_up = not order.address
    match order.status:
        case Status.CANCELLED:
            return _("is cancelled.")
        case Status.REFUNDED:
            return _("is refunded.")
        case Status.DELIVERED:
            return _("was picked up.") if is_picked_up else _("has arrived.")
        case Status.SHIPPED:
            return _("is on its way.")
        case Status.PACKED:
            return _("is ready to be picked up.") if is_picked_up else _("is packed.")
        case Status.PAID:
            return _("is paid, and will be packed soon.")
    return _("is placed, and its items are set aside for you.")


def _status(order: Order) -> str:
    if not order.address and order.status == Status.PACKED:
        return _("Ready to pick up")
    if not order.address and order.status == Status.DELIVERED:
        return _("Picked up")
    return str(order.get_status_display())


def _next(order: Order, payment: PaymentState, parcel: Parcel | None) -> str:
    due = {"due": money(payment.due, order.currency)}
    match order.status:
        case Status.CANCELLED | Status.REFUNDED:
            return _("We send your money back.") if payment.headline else ""
        case Status.DELIVERED:
            return _("%(due)s is still due for it.") % due if payment.due else ""
        case Status.SHIPPED:
            return _with_due(_on_its_way(parcel), due, payment)
        case Status.PACKED if order.address:
            return _with_due(_("It is handed to the carrier."), due, payment)
        case Status.PACKED if payment.due and payment.chosen == AT_PICKUP:
            return _("You pick it up in the shop, and pay %(due)s there.") % due
        case Status.PACKED:
            return _with_due(_("You pick it up in the shop."), due, payment)
        case Status.PAID:
            return _packing(order)
    return _before_payment(order, payment, due)


def _before_payment(order: Order, payment: PaymentState, due: dict[str, str]) -> str:
    if not payment.due:
        return _packing(order)
    if payment.is_being_checked:
        return _("We look at your last payment.")
    if payment.waits_since is not None:
        return _("The bank answers about your payment. Then we pack your order.")
    if payment.chosen == AT_PICKUP:
        return _("We pack your order. This page says when it is ready; you pay when you come.")
    if payment.is_late:
        return _("Your payment of %(due)s is late. Without it the order may be cancelled.") % due
    if payment.chosen == TRANSFER:
        return _("Your transfer of %(due)s arrives. Then we pack your order.") % due
    return _("You pay %(due)s. Then we pack your order.") % due


def _packing(order: Order) -> str:
    if order.address:
        return _("We pack your order, and hand it to the carrier.")
    return _("We pack your order. This page says when it is ready to be picked up.")


def _on_its_way(parcel: Parcel | None) -> str:
    if parcel is None:
        return _("It arrives.")
    return _("It arrives, with %(carrier)s.") % {"carrier": isolate(parcel.carrier)}


def _with_due(sentence: str, due: dict[str, str], payment: PaymentState) -> str:
    if not payment.due:
        return sentence
    return f"{sentence} {_('%(due)s is still due for it.') % due}"
