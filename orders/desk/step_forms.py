"""The forms of the order steps that need data, for the order list and the order's page.

Each opens filled with the likely answer, and says in `effects` what will happen.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_aware
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from orders.desk import effects
from orders.lifecycle import transitions
from orders.lifecycle.payments import undo_payment
from orders.lifecycle.payouts import due_of, pay_out
from orders.lifecycle.return_units import held_units
from orders.models import Order, OrderEvent, Payment, PaymentAttempt, Refund, User
from orders.payments.resolving import Resolution, reported, resolve
from project.database.keys import time_ordered_key

NEVER = datetime.min.replace(tzinfo=UTC)
BEFORE_SHIPPING = (Order.Status.PAID, Order.Status.PACKED)
"""The statuses of a paid order whose goods are still in the shop."""


class StepForm(forms.Form):
    """The data of a step; `take` takes the step with one order."""

    def __init__(
        self, *args: Any, order: Order, user: Any = None, about: Any = None, **options: Any
    ) -> None:
        """`user` is the operator. `about` is the row that the step is about, such as a payment.

        `initial["line"]` is the order's line that the page was opened for, if it was for one.
        """
        self.order, self.user, self.about = order, user, about
        super().__init__(*args, **options)
        self.fill_in()

    def fill_in(self) -> None:
        """Set the likely answers as the fields' initial values."""

    def effects(self) -> Iterable[str]:
        """Return what the step will do with what the form holds, in sentences."""
        return ()

    def take(self, order: Order, user: User) -> Order:
        """Call the step's transition. Raises TransitionError."""
        raise NotImplementedError

    def next_page(self, order: Order) -> str:
        """Return the URL of the page that follows the taken step; empty: the order's page."""
        return ""

    def clean(self) -> dict[str, Any]:
        """Say it if a hidden field came damaged: its own error would be shown nowhere.

        The form gets a fresh value for it, so that it can be sent again.
        """
        values = super().clean() or {}
        damaged = [field for field in self.hidden_fields() if field.name in self.errors]
        if damaged:
            self.data: Any = self.data.copy()
            for field in damaged:
                self.data[field.html_name] = str(field.initial)
            text = _(
                "A part of this page that you don't see (%(names)s) came damaged. It is renewed:"
                " look again, then decide."
            )
            names = ", ".join(field.name for field in damaged)
            self.add_error(None, text % {"names": names})
        return values

    def held(self, name: str) -> Any:
        """Return the field's valid value, else the value that the form opened with."""
        if not self.is_bound:
            value = self.get_initial_for_field(self.fields[name], name)
            return self.fields[name].to_python(value)
        self.is_valid()
        return self.cleaned_data.get(name)

    def seen(self, order: Order) -> datetime:
        """Return the order's `changed_at` on the page that was sent; of an old page, NEVER."""
        with suppress(ValueError):
            seen = parse_datetime(self.data.get(f"seen-{order.pk}", ""))
            if seen is not None and is_aware(seen):
                return seen
        return NEVER

    def again(self, refusal: str) -> "StepForm":
        """Return the form with what was typed, the order as it is now, and the refusal."""
        order = Order.objects.get(pk=self.order.pk)
        form = type(self)(self.data, order=order, user=self.user, about=self.about)
        form.add_error(None, refusal)
        return form


class PaymentForm(StepForm):
    method = forms.ChoiceField(
        label=gettext_lazy("Method"),
        choices=[(method.value, method.label) for method in Payment.BY_HAND],
        widget=UnfoldAdminSelectWidget,
    )
    reference = forms.CharField(
        label=gettext_lazy("Reference"),
        max_length=100,
        help_text=gettext_lazy("Identifies the payment: the same reference is entered once."),
        widget=UnfoldAdminTextInputWidget({"autofocus": True}),
    )
    amount = forms.DecimalField(
        label=gettext_lazy("Amount"),
        max_digits=14,
        decimal_places=2,
        min_value=0,
        widget=UnfoldAdminDecimalFieldWidget,
    )

    def fill_in(self) -> None:
        self.fields["amount"].initial = due_of(self.order)
        used = Payment.objects.filter(user=self.user, undoes=None, method__in=Payment.BY_HAND)
        latest = used.order_by("-pk").values_list("method", flat=True).first()
        self.fields["method"].initial = latest or Payment.Method.TRANSFER

    def effects(self) -> Iterable[str]:
        return effects.of_payment(self.order, self.held("amount"))

    def take(self, order: Order, user: User) -> Order:
        seen = self.seen(order)
        return transitions.pay(order_id=order.pk, user=user, seen=seen, **self.cleaned_data)


class UndoForm(StepForm):
    """Undoes a payment that was entered by hand."""

    about: Payment
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("For the ledger: the customer doesn't read it."),
        widget=UnfoldAdminTextInputWidget({"autofocus": True}),
    )

    def effects(self) -> Iterable[str]:
        return effects.of_undoing(self.order, self.about)

    def take(self, order: Order, user: User) -> Order:
        return undo_payment(payment_id=self.about.pk, user=user, **self.cleaned_data)


class ResolveForm(StepForm):
    """Ends a payment that a provider reported, and that didn't fit: it came, or it didn't."""

    about: PaymentAttempt
    resolution = forms.ChoiceField(
        label=gettext_lazy("What became of the money"),
        choices=Resolution.choices,
        help_text=gettext_lazy("Look at the provider's own page first."),
        widget=UnfoldAdminSelectWidget,
    )
    amount = forms.DecimalField(
        label=gettext_lazy("Amount that came"),
        max_digits=14,
        decimal_places=2,
        min_value=0,
        required=False,
        widget=UnfoldAdminDecimalFieldWidget,
    )
    reference = forms.CharField(
        label=gettext_lazy("The provider's reference of the payment"),
        max_length=100,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("For the history: the customer doesn't read it."),
        widget=UnfoldAdminTextInputWidget({"autofocus": True}),
    )

    def fill_in(self) -> None:
        amount, reference = reported(self.about)
        likely = Resolution.CAME if amount else Resolution.NOTHING
        self.initial.update(resolution=likely, amount=amount, reference=reference[:100])

    def effects(self) -> Iterable[str]:
        came = self.held("resolution") == Resolution.CAME
        return effects.of_resolving(self.order, self.held("amount") if came else None)

    def take(self, order: Order, user: User) -> Order:
        return resolve(attempt_id=self.about.pk, user=user, **self.cleaned_data)


class PayoutForm(StepForm):
    """Enters that the money of an owed refund was sent."""

    about: Refund
    reference = forms.CharField(
        label=gettext_lazy("Reference"),
        max_length=100,
        help_text=gettext_lazy("Identifies the pay-out, such as the transfer's id."),
        widget=UnfoldAdminTextInputWidget({"autofocus": True}),
    )

    def effects(self) -> Iterable[str]:
        return effects.of_payout(self.order, self.about)

    def take(self, order: Order, user: User) -> Order:
        pay_out(refund_id=self.about.pk, user=user, **self.cleaned_data)
        return order


class ParcelForm(StepForm):
    carrier = forms.CharField(
        label=gettext_lazy("Carrier"), max_length=100, widget=UnfoldAdminTextInputWidget
    )
    tracking_number = forms.CharField(
        label=gettext_lazy("Tracking number"),
        max_length=100,
        required=False,
        widget=UnfoldAdminTextInputWidget({"autofocus": True}),
    )

    def fill_in(self) -> None:
        """The carrier that the shopper chose, else that of the last parcel."""
        if chosen := self.order.delivery.get("label"):
            self.fields["carrier"].initial = chosen
            return
        latest = OrderEvent.objects.filter(kind=OrderEvent.Kind.SHIPPED).order_by("-pk").first()
        self.fields["carrier"].initial = latest.detail.get("carrier", "") if latest else ""

    def effects(self) -> Iterable[str]:
        return effects.of_shipping(self.order)

    def take(self, order: Order, user: User) -> Order:
        return transitions.ship(order_id=order.pk, user=user, **self.cleaned_data)


class CorrectionForm(ParcelForm):
    """Corrects the known parcel."""

    def fill_in(self) -> None:
        kinds = (OrderEvent.Kind.SHIPPED, OrderEvent.Kind.PARCEL_CORRECTED)
        known = self.order.events.filter(kind__in=kinds).order_by("pk").last()
        for name, field in self.fields.items():
            field.initial = known.detail.get(name, "") if known else ""

    def effects(self) -> Iterable[str]:
        return effects.of_parcel_correction(self.order)

    def take(self, order: Order, user: User) -> Order:
        seen = self.seen(order)
        return transitions.correct_parcel(
            order_id=order.pk, user=user, seen=seen, **self.cleaned_data
        )


class CancelForm(StepForm):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("The shopper reads it."),
        widget=UnfoldAdminTextInputWidget({"autofocus": True}),
    )

    def effects(self) -> Iterable[str]:
        return effects.of_cancelling(self.order)

    def take(self, order: Order, user: User) -> Order:
        seen = self.seen(order)
        return transitions.cancel(order_id=order.pk, user=user, seen=seen, **self.cleaned_data)


class RefundForm(StepForm):
    refund_id = forms.UUIDField(widget=forms.HiddenInput, initial=time_ordered_key)
    restock = forms.BooleanField(
        label=gettext_lazy("The goods are back on the shelf"),
        required=False,
        widget=UnfoldBooleanWidget,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("The shopper reads it."),
        widget=UnfoldAdminTextInputWidget,
    )

    def fill_in(self) -> None:
        """All units that are left, or those of the line that the page is opened for.

        Those in open returns aren't: they are refunded when they come. Goods that never left the
        shop are on its shelf.
        """
        only = self.initial.get("line")
        self.fields["restock"].initial = self.order.status in BEFORE_SHIPPING
        self.lines = {f"line-{line.pk}": line for line in self.order.lines.all()}
        held = held_units(self.order)
        for name, line in self.lines.items():
            left = line.quantity - line.refunded - held.get(line.pk, 0)
            self.fields[name] = forms.IntegerField(
                label=line.name,
                min_value=0,
                # The limit isn't the units left: a repeated form finds fewer, without an error.
                max_value=line.quantity,
                initial=left if only in (None, str(line.pk)) else 0,
                help_text=_("%(left)d of %(all)d left") % {"left": left, "all": line.quantity},
                widget=UnfoldAdminIntegerFieldWidget,
            )
        self.order_fields(list(self.lines))  # before the others

    def effects(self) -> Iterable[str]:
        lines = list(self.lines.values())
        units = {line: self.held(name) or 0 for name, line in self.lines.items()}
        chosen = {line: count for line, count in units.items() if count}
        return effects.of_refund(self.order, lines, chosen, restock=bool(self.held("restock")))

    def take(self, order: Order, user: User) -> Order:
        values = self.cleaned_data
        units = {line.sku: values[name] for name, line in self.lines.items() if values[name]}
        return transitions.refund(
            order_id=order.pk,
            refund_id=values["refund_id"],
            restock=values["restock"],
            reason=values["reason"],
            lines=units,
            user=user,
            seen=self.seen(order),
        )
