"""An order's life: which status follows which, and how it gets from one to the next.

`transitions` and `refunds` are made of these pieces. A transition is one transaction: the order
is won by an UPDATE from its old status that counts its row, and what follows from it (ledgers,
timeline, messages) is written with it or not at all. Locks are taken as everywhere: stock by
product, then the order, then jobs; sales are settled after the commit.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now
from psycopg import errors

from notifications.models import Notification
from notifications.outbox import order_messages
from orders.accounts.history import is_muted, opt_out_context
from orders.lifecycle.errors import InvalidTransition, OrderBusy, UnknownOrder
from orders.models import Order, OrderEvent, User
from orders.placing.errors import InvalidOrder
from orders.placing.message_context import message_context
from orders.placing.request import clean_text

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
"""When shoppers may still cancel by themselves."""

LOCK_TIMEOUT = "3s"
"""How long a transition waits for an order or a product that somebody else has locked."""

_MESSAGES = {
    Kind.MEDIA_READY: "order_media_ready",
    Kind.PAID: "order_paid",
    Kind.SHIPPED: "order_shipped",
    Kind.PARCEL_CORRECTED: "order_shipped",
    Kind.DELIVERED: "order_delivered",
    Kind.CANCELLED: "order_cancelled",
    Kind.PART_REFUNDED: "order_refunded",
    Kind.REFUNDED: "order_refunded",
}


@contextmanager
def one_transaction() -> Iterator[None]:
    """Commit what is done inside, all of it or nothing. Raises OrderBusy after LOCK_TIMEOUT.

    Raises RuntimeError inside an open transaction: what that has locked would break the order
    of locks, and settle would read the order before it is committed.
    """
    try:
        with transaction.atomic(durable=True):
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, errors.LockNotAvailable):
            raise OrderBusy from error
        raise


def move(order_id: UUID, *, to: Order.Status, among: Iterable[Order.Status] = ()) -> bool:
    """Move the order to a status if it has one that leads there (or is `among` these).

    True for the one caller who wins it; the order stays locked until the commit.
    """
    before = tuple(among) or COMES_FROM[to]
    won = Order.objects.filter(pk=order_id, status__in=before).update(status=to, changed_at=Now())
    return won == 1


def touch(order_id: UUID) -> None:
    """Note that the order changed without changing its status: settle looks for it by that."""
    Order.objects.filter(pk=order_id).update(changed_at=Now())


def read(order_id: UUID) -> Order:
    """Return the order as it is now. Raises UnknownOrder."""
    order = Order.objects.filter(pk=order_id).first()
    if order is None:
        raise UnknownOrder
    return order


def lock(order_id: UUID) -> Order:
    """Lock the order and return it: for decisions that need more than its status.

    Raises UnknownOrder.
    """
    order = Order.objects.select_for_update(no_key=True).filter(pk=order_id).first()
    if order is None:
        raise UnknownOrder
    return order


def record(
    order: Order, kind: OrderEvent.Kind, *, user: User | None, occasion: str = "", **detail: Any
) -> None:
    """Write the timeline's entry and queue the messages that tell the shopper.

    `detail` is JSON; the messages know it too. `occasion` is needed where a kind of message
    can be sent more than once.
    """
    OrderEvent.objects.create(order=order, kind=kind, detail=detail, user=user)
    event = _MESSAGES.get(kind)
    if event is None or is_muted(event, order=order):
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


def cleaned(value: str, *, name: str, max_length: int, required: bool = True) -> str:
    """Return the text on one line. Raises InvalidTransition with `name` in its message."""
    try:
        return clean_text(value, field="", max_length=max_length, required=required)
    except InvalidOrder as invalid:
        raise InvalidTransition(f"{name}: {invalid.errors[0].message}") from None
