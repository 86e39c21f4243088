"""The parts of a transition: the allowed statuses, the locks, the timeline and the messages.

`transitions` and `refunds` are built from them. A transition is one transaction. An UPDATE with
the old status in its WHERE moves the order, and its row count says whether this caller moved it.
Ledgers, timeline and messages are written in the same transaction. The lock order is the same
everywhere: stock by product, then the order, then the invoices' counter, then jobs. Sales are
settled after the commit.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import Error, connection, transaction
from django.db.models.functions import Now

from notifications.models import Notification
from notifications.outbox import order_messages
from orders.accounts.history import is_muted, opt_out_context
from orders.invoicing.issue import issue_on
from orders.lifecycle.errors import ChangedMeanwhile, InvalidTransition, OrderBusy, UnknownOrder
from orders.lifecycle.timeline import read_timeline
from orders.models import Order, OrderEvent, User
from orders.placing.errors import InvalidOrder
from orders.placing.message_context import message_context
from orders.placing.payment_choice import AT_PICKUP
from orders.placing.request import clean_text
from orders.placing.webhook_events import tell_step
from project.database.errors import Remedy, dropped_if_lost, remedy

Status = Order.Status
Kind = OrderEvent.Kind

COMES_FROM: dict[str, tuple[Order.Status, ...]] = {
    Status.PAID: (Status.PLACED,),
    Status.PACKED: (Status.PAID,),
    Status.SHIPPED: (Status.PACKED,),
    Status.DELIVERED: (Status.SHIPPED,),
    Status.CANCELLED: (Status.PLACED, Status.PAID, Status.PACKED),
    Status.REFUNDED: (Status.PAID, Status.PACKED, Status.SHIPPED, Status.DELIVERED),
}
BEFORE_PACKING = (Status.PLACED, Status.PAID)
"""The statuses in which a shopper may cancel the order."""


def packed_from(order: Order) -> tuple[Order.Status, ...]:
    """Return the statuses from which the order is packed: unpaid, if it is paid at pick-up or costs
    nothing.
    """
    is_unpaid = order.payment_method == AT_PICKUP or not order.total
    return (*COMES_FROM[Status.PACKED], *((Status.PLACED,) if is_unpaid else ()))


LOCK_TIMEOUT = "3s"
"""How long a transition waits for an order or a product that another transaction has locked."""

MESSAGES = {
    Kind.MEDIA_READY: "order_media_ready",
    Kind.PAID: "order_paid",
    Kind.SHIPPED: "order_shipped",
    Kind.PARCEL_CORRECTED: "order_shipped",
    Kind.DELIVERED: "order_delivered",
    Kind.CANCELLED: "order_cancelled",
    Kind.PART_REFUNDED: "order_refunded",
    Kind.REFUNDED: "order_refunded",
    Kind.RETURN_REQUESTED: "order_return_requested",
    Kind.RETURN_ACCEPTED: "order_return_accepted",
    Kind.RETURN_REFUSED: "order_return_refused",
    Kind.RETURN_WITHDRAWN: "order_return_withdrawn",
    Kind.RETURN_RECEIVED: "order_return_received",
}


@contextmanager
def one_transaction() -> Iterator[None]:
    """Run the block in one durable transaction.

    Raises OrderBusy after LOCK_TIMEOUT, a deadlock or another fault that a second try may not meet.

    Raises RuntimeError inside an open transaction: its locks would break the lock order, and
    settle would read the order before the commit.
    """
    try:
        with transaction.atomic(durable=True):
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
            yield
    except Error as error:
        if dropped_if_lost(error, connection) and remedy(error) is Remedy.REPEAT:
            raise OrderBusy from error
        raise


def move(order_id: UUID, *, to: Order.Status, among: Iterable[Order.Status] = ()) -> bool:
    """Move the order to `to` if its status is in `among` (by default: leads to `to`).

    True for the one caller that moved it. The order stays locked until the commit.
    """
    before = tuple(among) or COMES_FROM[to]
    won = Order.objects.filter(pk=order_id, status__in=before).update(status=to, changed_at=Now())
    return won == 1


def touch(order_id: UUID) -> None:
    """Update `changed_at` without a change of status: settle finds changed orders by it."""
    Order.objects.filter(pk=order_id).update(changed_at=Now())


def read(order_id: UUID) -> Order:
    """Return the order as it is now. Raises UnknownOrder."""
    order = Order.objects.filter(pk=order_id).first()
    if order is None:
        raise UnknownOrder
    return order


def lock(order_id: UUID) -> Order:
    """Lock the order and return it, for decisions that need more than its status.

    Raises UnknownOrder.
    """
    order = Order.objects.select_for_update(no_key=True).filter(pk=order_id).first()
    if order is None:
        raise UnknownOrder
    return order


def require_seen(order: Order, *, seen: datetime | None) -> None:
    """Raise ChangedMeanwhile unless the locked order is as the user saw it.

    `seen` is the `changed_at` of what was seen; None: no user decided by a page.
    """
    if seen is None or seen == order.changed_at:
        return
    timeline = read_timeline(order)
    # The change's own entry, which has its time: "ready to view" may have come after it.
    entry = next((each for each in timeline if each.when == order.changed_at), timeline[-1])
    event = ": ".join(filter(None, (str(entry.title), entry.note)))
    raise ChangedMeanwhile(order, event=event, user=str(entry.user or ""))


def record(
    order: Order,
    kind: OrderEvent.Kind,
    *,
    user: User | None,
    occasion: str = "",
    is_told: bool = True,
    **detail: Any,
) -> None:
    """Write the timeline's entry, queue the shopper's messages and the webhooks about it, and issue
    the invoice if this is the step for it.

    `detail` is JSON, and part of the messages' context. `occasion` distinguishes the messages
    of an event that an order can have more than once. `is_told`: False for an entry of a step
    whose message another entry queues.
    """
    OrderEvent.objects.create(order=order, kind=kind, detail=detail, user=user)
    issue_on(kind, order, user=user)
    tell_step(order, kind, detail)
    event = MESSAGES.get(kind)
    if not is_told or event is None or order.erased_at or is_muted(event, order=order):
        return
    context = message_context(order, order.lines.all()) | opt_out_context(event, order=order)
    Notification.objects.bulk_create(
        order_messages(
            event=event,
            occasion=occasion,
            order_id=order.pk,
            context={"number": order.display_number, **context, **detail},
            email=order.email,
            phone=order.phone,
            language=order.language,
        )
    )


def channels_told(order: Order, kind: OrderEvent.Kind) -> list[str]:
    """Return the channels by which `record` would tell the customer of such an event now."""
    event = MESSAGES.get(kind)
    if event is None or order.erased_at or is_muted(event, order=order):
        return []
    messages = order_messages(
        event=event,
        order_id=order.pk,
        context={},
        email=order.email,
        phone=order.phone,
        language=order.language,
    )
    return [message.channel for message in messages]


def cleaned(value: str, *, name: str, max_length: int, required: bool = True) -> str:
    """Return the text on one line. Raises InvalidTransition with `name` in its message."""
    try:
        return clean_text(value, field="", max_length=max_length, required=required)
    except InvalidOrder as invalid:
        raise InvalidTransition(f"{name}: {invalid.errors[0].message}") from None


def cleaned_code(value: str, *, name: str, max_length: int, required: bool = True) -> str:
    """Return a number that is copied from elsewhere: a payment's reference, a parcel's number.

    Its full-width letters become ASCII, and what shows nothing goes, so that the same number is
    the same text. Raises InvalidTransition as `cleaned` does.
    """
    code = cleaned(value, name=name, max_length=max_length, required=required)
    code = unicodedata.normalize("NFKC", code)
    code = "".join(letter for letter in code if unicodedata.category(letter) != "Cf")
    return cleaned(code, name=name, max_length=max_length, required=required)
