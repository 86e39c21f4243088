"""Returns: a shopper asks for one, and the shop accepts or refuses it.

requested → accepted → received (`receiving`); requested, accepted → refused or withdrawn. Each step
locks the order, then moves the return by a counted conditional UPDATE, and writes timeline and
messages in the same transaction. A repeat changes nothing. Each raises a `TransitionError` with the
reason for a refusal.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from notifications.models import Notification
from notifications.outbox import staff_messages
from orders.accounts.staff import staff
from orders.lifecycle.errors import DoneDifferently, InvalidTransition
from orders.lifecycle.refunds import items_of
from orders.lifecycle.return_steps import (
    COMES_FROM,
    MAX_LENGTH,
    WrongReturnStatus,
    find,
    move_return,
    record_step,
)
from orders.lifecycle.return_units import returnable
from orders.lifecycle.steps import Kind, cleaned, lock, one_transaction, require_seen
from orders.models import Order, OrderLine, Return, ReturnLine, User

Status = Return.Status
STAFF_EVENT = "return_requested"

_EVENTS: dict[str, Kind] = {
    Status.ACCEPTED: Kind.RETURN_ACCEPTED,
    Status.REFUSED: Kind.RETURN_REFUSED,
    Status.WITHDRAWN: Kind.RETURN_WITHDRAWN,
}


def request_return(
    *,
    order_id: UUID,
    return_id: UUID,
    lines: Mapping[str, int],
    today: date,
    reason: str = "",
    user: User | None = None,
) -> Return:
    """Ask to return units by SKU. `return_id` is the caller's idempotency key.

    `today` is the day in the shop's time zone: see `returnable` for what can be returned until
    when. The staff are told.
    """
    reason = cleaned(reason, name=_("Reason"), max_length=MAX_LENGTH, required=False)
    with one_transaction():
        order = lock(order_id)
        made = Return.objects.filter(pk=return_id).first()
        if made:
            _check_same(made, order, lines)
            return made
        may = returnable(order, today=today)
        if not may.units:
            raise InvalidTransition(
                _("Order %(number)s can't be returned. %(why)s")
                % {"number": order, "why": may.refusal}
            )
        units = _wanted(may.units, lines)
        made = Return.objects.create(id=return_id, order=order, is_late=may.is_late, reason=reason)
        ReturnLine.objects.bulk_create(
            ReturnLine(of_return=made, line=line, quantity=count) for line, count in units.items()
        )
        record_step(
            made, Kind.RETURN_REQUESTED, user=user, reason=reason, units=units, is_late=may.is_late
        )
        Notification.objects.bulk_create(
            staff_messages(
                event=STAFF_EVENT,
                readers=staff(),
                occasion=str(made.pk),
                context=requested_context(made, order, units),
            )
        )
    return made


def accept(
    *, return_id: UUID, answer: str = "", user: User | None = None, seen: datetime | None = None
) -> Return:
    """Accept the return: the shopper may send the goods. `answer` is for the shopper.

    `seen`: see `require_seen`.
    """
    answer = cleaned(
        answer, name=pgettext("return", "Answer"), max_length=MAX_LENGTH, required=False
    )
    return _decide(return_id, to=Status.ACCEPTED, answer=answer, user=user, seen=seen)


def refuse(
    *, return_id: UUID, answer: str, user: User | None = None, seen: datetime | None = None
) -> Return:
    """Refuse the return, also one whose goods never came. `answer` is the reason, for the shopper.

    `seen`: see `require_seen`.
    """
    answer = cleaned(answer, name=_("Reason"), max_length=MAX_LENGTH)
    return _decide(return_id, to=Status.REFUSED, answer=answer, user=user, seen=seen)


def withdraw(*, return_id: UUID, user: User | None = None) -> Return:
    """Withdraw the return, as its shopper wishes: the units stay theirs."""
    return _decide(return_id, to=Status.WITHDRAWN, answer=None, user=user, seen=None)


def requested_context(made: Return, order: Order, units: Mapping[OrderLine, int]) -> dict[str, Any]:
    """Return the context of the message to the staff about a requested return."""
    return {
        "number": order.display_number,
        "name": order.name,
        "items": items_of(units),
        "reason": made.reason,
        "is_late": made.is_late,
        "url": f"{settings.SITE_URL}{reverse('admin:orders_order_change', args=[order.pk])}",
    }


def send_to() -> list[str]:
    """Return the address to which goods are returned, a line each; empty if the shop has none."""
    address = list(settings.COMPANY_ADDRESS)
    return [settings.COMPANY_NAME or settings.SHOP_NAME, *address] if address else []


def _decide(
    return_id: UUID,
    *,
    to: Return.Status,
    answer: str | None,
    user: User | None,
    seen: datetime | None,
) -> Return:
    """Move the return without goods. A return that is in the status already is a repeat."""
    known = find(return_id)
    with one_transaction():
        order = lock(known.order_id)
        if find(return_id).status in COMES_FROM[to]:
            require_seen(order, seen=seen)
        said = {} if answer is None else {"answer": answer}
        won = move_return(return_id, to=to, **said)
        asked = find(return_id)
        if not won and asked.status != to:
            raise WrongReturnStatus(asked, to=to)
        if won:
            rows = asked.lines.select_related("line")
            sent: dict[str, Any] = {"send_to": send_to()} if to == Status.ACCEPTED else {}
            record_step(
                asked,
                _EVENTS[to],
                user=user,
                reason=answer or "",
                units={row.line: row.quantity for row in rows},
                **sent,
            )
    return asked


def _wanted(may: Mapping[OrderLine, int], wanted: Mapping[str, int]) -> dict[OrderLine, int]:
    """Return the units to return by line. Raises InvalidTransition for those that can't be."""
    if not wanted or any(quantity < 1 for quantity in wanted.values()):
        raise InvalidTransition(_("Choose at least one item to return."))
    by_sku = {line.sku: line for line in may}
    for sku, count in wanted.items():
        left = may[by_sku[sku]] if sku in by_sku else 0
        if count > left:
            name = by_sku[sku].name if sku in by_sku else sku
            raise InvalidTransition(
                _("Of “%(name)s” at most %(left)d can be returned.") % {"name": name, "left": left}
            )
    return {by_sku[sku]: count for sku, count in wanted.items()}


def _check_same(made: Return, order: Order, lines: Mapping[str, int]) -> None:
    """Raise DoneDifferently unless the request equals the return that has this id."""
    asked = dict(made.lines.values_list("line__sku", "quantity"))
    if made.order_id != order.pk or asked != dict(lines):
        raise DoneDifferently(_("This return was asked for already, with other items."))
