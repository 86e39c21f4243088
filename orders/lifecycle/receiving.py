"""Receiving a return: what came back, what of it is sold again, and the refund that is owed for it.

All of it is one transaction. `refunds` and `payouts` have the money, `restock` the goods.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import override, pgettext

from orders.lifecycle.errors import DoneDifferently, InvalidTransition
from orders.lifecycle.refunds import enter_refund, price_of
from orders.lifecycle.restock import lock_stock
from orders.lifecycle.return_steps import (
    COMES_FROM,
    MAX_LENGTH,
    Status,
    WrongReturnStatus,
    find,
    move_return,
    record_step,
)
from orders.lifecycle.steps import Kind, cleaned, lock, one_transaction, require_seen
from orders.models import OrderLine, Return, ReturnLine, User
from orders.placing.settle import settle


def receive(
    *,
    return_id: UUID,
    received: Mapping[str, int],
    restocked: Mapping[str, int],
    answer: str = "",
    user: User | None = None,
    seen: datetime | None = None,
) -> Return:
    """Enter what came back, by SKU, and refund it: its price is owed from now on.

    `received` may be fewer units than were asked for: the others stay the shopper's. `restocked`
    are those of them that are sold again. `answer` is for the shopper. `seen`: see `require_seen`.
    """
    answer = cleaned(
        answer, name=pgettext("return", "Answer"), max_length=MAX_LENGTH, required=False
    )
    known = find(return_id)
    with one_transaction():
        if any(restocked.values()):
            lock_stock(known.order_id)
        order = lock(known.order_id)
        asked = find(return_id)
        rows = list(asked.lines.select_related("line"))
        if asked.status == Status.RECEIVED:
            _check_received(rows, received, restocked)
            return asked
        if asked.status not in COMES_FROM[Status.RECEIVED]:
            raise WrongReturnStatus(asked, to=Status.RECEIVED)
        require_seen(order, seen=seen)
        came, back = _came(rows, received, restocked)
        amount, _is_all = price_of(order, order.lines.all(), came)
        record_step(
            asked,
            Kind.RETURN_RECEIVED,
            user=user,
            reason=answer,
            units=came,
            amount=str(amount) if amount else "",
        )
        with override(order.language):  # a credit note has the reason
            reason = answer or _("Goods were returned.")
        made = enter_refund(
            order,
            refund_id=return_id,
            units=came,
            restocked=back,
            reason=reason,
            user=user,
            is_told=False,
        )
        if not move_return(return_id, to=Status.RECEIVED, answer=answer, refund=made):
            raise WrongReturnStatus(find(return_id), to=Status.RECEIVED)
        for row in rows:
            ReturnLine.objects.filter(pk=row.pk).update(
                received=came.get(row.line, 0), restocked=back.get(row.line, 0)
            )
    settle(known.order_id)
    return find(return_id)


def _came(
    rows: list[ReturnLine], received: Mapping[str, int], restocked: Mapping[str, int]
) -> tuple[dict[OrderLine, int], dict[OrderLine, int]]:
    """Return the units that came, and those of them that are sold again, by line."""
    came, back = _by_line(rows, received), _by_line(rows, restocked)
    for row in rows:
        if not 0 <= came.get(row.line, 0) <= row.quantity:
            raise InvalidTransition(
                _("This return has %(count)d of “%(name)s”.")
                % {"count": row.quantity, "name": row.line.name}
            )
        if not 0 <= back.get(row.line, 0) <= came.get(row.line, 0):
            raise InvalidTransition(
                _("Of “%(name)s” no more can go back on sale than came.") % {"name": row.line.name}
            )
    if not any(came.values()):
        raise InvalidTransition(
            _("Enter at least one item that came. If nothing came, refuse the return.")
        )
    return (
        {line: count for line, count in came.items() if count},
        {line: count for line, count in back.items() if count},
    )


def _by_line(rows: list[ReturnLine], units: Mapping[str, int]) -> dict[OrderLine, int]:
    """Return the units by line. Raises InvalidTransition for a SKU that the return hasn't."""
    by_sku = {row.line.sku: row.line for row in rows}
    if unknown := units.keys() - by_sku.keys():
        raise InvalidTransition(_("The return has no “%(sku)s”.") % {"sku": min(unknown)})
    return {by_sku[sku]: count for sku, count in units.items()}


def _check_received(
    rows: list[ReturnLine], received: Mapping[str, int], restocked: Mapping[str, int]
) -> None:
    """Raise DoneDifferently unless the request equals what was received."""
    done = {row.line.sku: (row.received, row.restocked) for row in rows}
    wanted = {sku: (received.get(sku, 0), restocked.get(sku, 0)) for sku in done}
    if done != wanted:
        raise DoneDifferently(_("This return was received already, with other items."))
