"""The forms of a return's steps at the desk: accept it, refuse it, enter what came back."""

from collections.abc import Iterable

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from orders.desk import effects
from orders.desk.step_forms import StepForm
from orders.lifecycle.receiving import receive
from orders.lifecycle.return_steps import MAX_LENGTH
from orders.lifecycle.returns import accept, refuse, send_to
from orders.models import Order, OrderLine, Return, ReturnLine, User


class AcceptForm(StepForm):
    about: Return
    answer = forms.CharField(
        label=pgettext_lazy("return", "Answer"),
        max_length=MAX_LENGTH,
        required=False,
        help_text=gettext_lazy("The shopper reads it: how to send the goods, for example."),
        widget=UnfoldAdminTextInputWidget({"autofocus": True}),
    )

    def fill_in(self) -> None:
        """Without the shop's address the shopper learns only here how to send the goods."""
        if not send_to():
            field = self.fields["answer"]
            field.required = True
            field.help_text = _(
                "The shopper reads it. The shop has no COMPANY_ADDRESS: say where to send the"
                " goods, or how to bring them back."
            )

    def effects(self) -> Iterable[str]:
        return effects.of_accepting(self.order)

    def take(self, order: Order, user: User) -> Order:
        seen = self.seen(order)
        accept(return_id=self.about.pk, user=user, seen=seen, **self.cleaned_data)
        return order


class RefuseForm(StepForm):
    about: Return
    answer = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=MAX_LENGTH,
        help_text=gettext_lazy("The shopper reads it."),
        widget=UnfoldAdminTextInputWidget({"autofocus": True}),
    )

    def effects(self) -> Iterable[str]:
        return effects.of_refusing(self.order)

    def take(self, order: Order, user: User) -> Order:
        seen = self.seen(order)
        refuse(return_id=self.about.pk, user=user, seen=seen, **self.cleaned_data)
        return order


class ReceiveForm(StepForm):
    """The units of each line that came, and those of them that are sold again."""

    about: Return
    answer = forms.CharField(
        label=pgettext_lazy("return", "Answer"),
        max_length=MAX_LENGTH,
        required=False,
        help_text=gettext_lazy(
            "The shopper reads it: why fewer came than were asked for, perhaps."
        ),
        widget=UnfoldAdminTextInputWidget,
    )

    def fill_in(self) -> None:
        """All units came, and none is sold again: somebody has to look at them first."""
        self.rows = list(self.about.lines.select_related("line"))
        for row in self.rows:
            self.fields[_came(row)] = _units(
                _("%(name)s: units that came") % {"name": row.line.name}, row, row.quantity
            )
            self.fields[_back(row)] = _units(_("… of them back on sale"), row, 0)
        self.order_fields([name for row in self.rows for name in (_came(row), _back(row))])

    def effects(self) -> Iterable[str]:
        came = {row.line: self.held(_came(row)) or 0 for row in self.rows}
        back = sum(self.held(_back(row)) or 0 for row in self.rows)
        chosen: dict[OrderLine, int] = {line: count for line, count in came.items() if count}
        asked = sum(row.quantity for row in self.rows)
        return effects.of_receiving(self.order, chosen, back=back, asked=asked)

    def take(self, order: Order, user: User) -> Order:
        values = self.cleaned_data
        receive(
            return_id=self.about.pk,
            received={row.line.sku: values[_came(row)] for row in self.rows},
            restocked={row.line.sku: values[_back(row)] for row in self.rows},
            answer=values["answer"],
            user=user,
            seen=self.seen(order),
        )
        return order


def _came(row: ReturnLine) -> str:
    return f"came-{row.line_id}"


def _back(row: ReturnLine) -> str:
    return f"back-{row.line_id}"


def _units(label: str, row: ReturnLine, initial: int) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=0,
        max_value=row.quantity,
        initial=initial,
        help_text=_("of %(count)d") % {"count": row.quantity},
        widget=UnfoldAdminIntegerFieldWidget,
    )
