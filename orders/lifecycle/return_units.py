"""The units of an order that can be returned, and those that an open return holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from orders.models import Order, OrderEvent, OrderLine, Return, ReturnLine, Upload
from project.templatetags.reader_times import reader_date

Status = Order.Status

RETURNABLE = (Status.SHIPPED, Status.DELIVERED)
"""The statuses of an order whose goods left the shop: before that it is cancelled."""
MAY_HAVE_RETURNS = (*RETURNABLE, Status.REFUNDED)
"""The statuses of an order that may have returns, open or ended."""
ASK = "ask"
"""The value of LATE_RETURNS by which a return may be asked for after its time."""


@dataclass(frozen=True)
class Returnable:
    """What the shopper may return of an order today."""

    units: Mapping[OrderLine, int] = field(default_factory=dict)
    """Those that may be asked for; empty: none."""
    refusal: str = ""
    """Why there are none, in words for the shopper."""
    until: date | None = None
    """The last day of the time for it; None as long as the order isn't delivered."""
    is_late: bool = False


def held_units(order: Order, *, but: UUID | None = None) -> dict[int, int]:
    """Return the units that open returns hold, by the id of the line; without the return `but`."""
    held = ReturnLine.objects.filter(of_return__order=order.pk, of_return__status__in=Return.OPEN)
    if but is not None:
        held = held.exclude(of_return=but)
    return dict(held.order_by().values_list("line").annotate(units=Sum("quantity")))


def returnable(order: Order, *, today: date) -> Returnable:
    """Return what the shopper may return. `today` is the day in the shop's time zone.

    The time of RETURN_DAYS begins on the day after the delivery, as that of consumer law does
    (Directive 2011/83/EU, Art. 9; Regulation 1182/71, Art. 3). What was made with the shopper's
    file can't be returned (Art. 16 (c)).
    """
    if order.status not in RETURNABLE:
        return Returnable(refusal=_cant(order))
    until = _last_day(order)
    is_late = until is not None and today > until
    if is_late and settings.LATE_RETURNS != ASK:
        return Returnable(refusal=_too_late(until), until=until)
    held = held_units(order)
    made = _made_for_the_shopper(order)
    lines = list(order.lines.all())
    left = {line: line.quantity - line.refunded - held.get(line.pk, 0) for line in lines}
    units = {line: min(left[line], line.quantity - made.get(line.pk, 0)) for line in lines}
    units = {line: count for line, count in units.items() if count > 0}
    if not units and any(left.values()):
        return Returnable(
            refusal=_("What is made with your own file can't be returned. %(else)s") % _else(),
            until=until,
        )
    if not units:
        return Returnable(refusal=_("All of its items are returned or refunded."), until=until)
    return Returnable(units=units, until=until, is_late=is_late)


def _last_day(order: Order) -> date | None:
    """Return the last day for a return; None if the order isn't delivered yet."""
    delivered = order.events.filter(kind=OrderEvent.Kind.DELIVERED).order_by("pk").first()
    if delivered is None:
        return None
    return timezone.localdate(delivered.created_at) + timedelta(days=settings.RETURN_DAYS)


def _made_for_the_shopper(order: Order) -> dict[int, int]:
    """Return the units that were made with a file of the shopper, by the id of the line."""
    made = Upload.objects.filter(line__order=order.pk).order_by()
    return dict(made.values_list("line").annotate(units=Sum("quantity")))


def _else() -> dict[str, str]:
    return {"else": _("If something is wrong with it, answer one of our e-mails.")}


def _too_late(until: date | None) -> str:
    facts = {"day": reader_date(until) if until else "", **_else()}
    return _("It could be returned until %(day)s. %(else)s") % facts


def _cant(order: Order) -> str:
    if order.status in (Status.PLACED, Status.PAID):
        return _("Nothing of it was sent yet: you can cancel the order.")
    if order.status == Status.PACKED:
        return _("It is on its way out: you can return it once it was sent or picked up.")
    return _("There is nothing left of it to return.")
