"""The parts of a return's steps: what leads where, the refusals, the entry of the timeline.

`returns` and `receiving` are built from them, as `transitions` is from `steps`.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.lifecycle.errors import TransitionError
from orders.lifecycle.refunds import items_of
from orders.lifecycle.steps import Kind, read, record, touch
from orders.models import OrderLine, Return, User

Status = Return.Status
MAX_LENGTH = 200
"""Of a reason or an answer."""

COMES_FROM: dict[str, tuple[Return.Status, ...]] = {
    Status.ACCEPTED: (Status.REQUESTED,),
    Status.RECEIVED: (Status.ACCEPTED,),
    Status.REFUSED: Return.OPEN,
    Status.WITHDRAWN: Return.OPEN,
}
_CANT: dict[str, str | Promise] = {
    Status.ACCEPTED: gettext_lazy("This return can't be accepted any more: it is %(status)s."),
    Status.RECEIVED: gettext_lazy("Only an accepted return can be received: this is %(status)s."),
    Status.REFUSED: gettext_lazy("This return can't be refused any more: it is %(status)s."),
    Status.WITHDRAWN: gettext_lazy("This return can't be withdrawn any more: it is %(status)s."),
}


class UnknownReturn(TransitionError):
    """There is no such return."""

    def __init__(self) -> None:
        super().__init__(_("There is no such return."))


class WrongReturnStatus(TransitionError):
    """No step leads from the return's status to the requested one."""

    def __init__(self, asked: Return, *, to: str) -> None:
        super().__init__(str(_CANT[to]) % {"status": asked.get_status_display().lower()})


def find(return_id: UUID) -> Return:
    """Return the return as it is now. Raises UnknownReturn."""
    found = Return.objects.filter(pk=return_id).first()
    if found is None:
        raise UnknownReturn
    return found


def move_return(return_id: UUID, *, to: Return.Status, **changes: Any) -> bool:
    """Move the return to `to` if a step leads there; True for the one caller that moved it."""
    if to not in Return.OPEN:
        changes["ended_at"] = Now()
    before = Return.objects.filter(pk=return_id, status__in=COMES_FROM[to])
    return before.update(status=to, **changes) == 1


def record_step(
    asked: Return,
    kind: Kind,
    *,
    user: User | None,
    reason: str,
    units: Mapping[OrderLine, int],
    **detail: Any,
) -> None:
    """Write the timeline's entry, and queue the shopper's message about it."""
    touch(asked.order_id)
    record(
        read(asked.order_id),
        kind,
        user=user,
        occasion=str(asked.pk),
        return_id=str(asked.pk),
        reason=reason,
        items=items_of(units),
        **detail,
    )
