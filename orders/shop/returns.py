"""The returns of an order on its page: what became of them, and the form for another one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.accounts.fields import TextField
from orders.lifecycle.return_steps import MAX_LENGTH
from orders.lifecycle.return_units import (
    MAY_HAVE_RETURNS,
    RETURNABLE,
    Returnable,
    returnable,
)
from orders.lifecycle.returns import send_to
from orders.models import Order, OrderLine, Return
from project.database.keys import time_ordered_key
from project.templatetags.money import money
from project.text import isolate

Status = Return.Status


class ReturnForm(forms.Form):
    """The units of each line that the shopper wants to return, and why."""

    return_id = forms.UUIDField(widget=forms.HiddenInput, initial=time_ordered_key)
    reason = TextField(
        label=gettext_lazy("Reason"),
        max_length=MAX_LENGTH,
        required=False,
        help_text=gettext_lazy("You need none. If something is broken, tell us what."),
    )

    def __init__(self, *args: Any, units: Mapping[OrderLine, int], **options: Any) -> None:
        super().__init__(*args, **options)
        self.units = units
        self.lines = {f"line-{line.pk}": line for line in units}
        for name, line in self.lines.items():
            self.fields[name] = forms.IntegerField(
                label=isolate(line.name),
                min_value=0,
                # The service knows the units left: a repeated form finds fewer, without an error.
                required=False,
                initial=0,
                widget=forms.NumberInput({"inputmode": "numeric", "max": units[line]}),
                help_text=_("of %(count)d") % {"count": units[line]},
            )

    @property
    def quantities(self) -> list[Any]:
        """The fields of the lines that have units left, or something typed."""
        return [
            self[name]
            for name, line in self.lines.items()
            if self.units[line] or self[name].value() not in (None, "", "0", 0)
        ]

    @property
    def wanted(self) -> dict[str, int]:
        """The units by SKU of a form that was sent."""
        return {
            line.sku: self.cleaned_data[name]
            for name, line in self.lines.items()
            if self.cleaned_data.get(name)
        }


@dataclass(frozen=True)
class ReturnRow:
    """One return as its shopper sees it."""

    id: UUID
    items: str
    status: str
    look: str
    words: str
    answer: str
    send_to: Sequence[str]
    may_withdraw: bool


@dataclass(frozen=True)
class Returns:
    rows: list[ReturnRow]
    may: Returnable | None
    """What may be asked for now; None for an order that was never sent."""
    form: ReturnForm | None

    @property
    def is_shown(self) -> bool:
        return bool(self.rows or self.may)


def read_returns(order: Order, *, today: date, form: ReturnForm | None = None) -> Returns:
    """Return the order's returns. `today` is the day in the shop's time zone.

    `form` is one that was sent and refused. An order that wasn't sent takes no query.
    """
    if order.status not in MAY_HAVE_RETURNS:
        return Returns([], None, None)
    made = order.returns.select_related("refund").prefetch_related("lines__line")
    rows = [_row(each, order) for each in made]
    may = returnable(order, today=today) if order.status in RETURNABLE else None
    if may and may.units and form is None:
        form = ReturnForm(units=may.units)
    return Returns(rows, may, form)


def sent_form(order: Order, data: Any, *, today: date) -> ReturnForm:
    """Return the form with what was sent, for all lines of the order.

    The service decides what of it can be returned; a repeated form may find nothing left.
    """
    may = returnable(order, today=today).units
    units = {line: may.get(line, 0) for line in order.lines.all()}
    return ReturnForm(data, units=units)


def _row(made: Return, order: Order) -> ReturnRow:
    is_accepted = made.status == Status.ACCEPTED
    return ReturnRow(
        id=made.pk,
        items=_items(made),
        status=str(made.get_status_display()),
        look="cancelled" if made.status in (Status.REFUSED, Status.WITHDRAWN) else made.status,
        words=_words(made, order),
        answer=made.answer,
        send_to=send_to() if is_accepted else (),
        may_withdraw=made.status in Return.OPEN,
    )


def _items(made: Return) -> str:
    """Return what is to come, or what came."""
    units = {
        row.line.name: row.received if made.status == Status.RECEIVED else row.quantity
        for row in made.lines.all()
    }
    return ", ".join(f"{count} × {isolate(name)}" for name, count in units.items() if count)


def _words(made: Return, order: Order) -> str:
    match made.status:
        case Status.REQUESTED:
            return _("We look at it, and write to you.")
        case Status.ACCEPTED:
            return _("Send it back to us, or bring it to the shop.")
        case Status.RECEIVED if made.refund and made.refund.amount:
            amount = {"amount": money(made.refund.amount, order.currency)}
            return _("It came back to us: you get %(amount)s.") % amount
        case Status.RECEIVED:
            return _("It came back to us.")
        case Status.REFUSED:
            return _("We can't take it back:")
    return _("You keep it, as you wished.")
