"""The forms of the order steps that need data, for the order list and the order's page."""

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

from orders.lifecycle import transitions
from orders.lifecycle.payouts import paid_so_far
from orders.models import Order, OrderEvent, Payment, User
from project.database.keys import time_ordered_key

NEVER = datetime.min.replace(tzinfo=UTC)


class StepForm(forms.Form):
    """The data of a step; `take` takes the step with one order."""

    def __init__(self, *args: Any, order: Order, **options: Any) -> None:
        super().__init__(*args, **options)
        self.order = order

    def take(self, order: Order, user: User) -> Order:
        """Call the step's transition. Raises TransitionError."""
        raise NotImplementedError

    def seen(self, order: Order) -> datetime:
        """Return the order's `changed_at` on the page that was sent; of an old page, NEVER."""
        with suppress(ValueError):
            seen = parse_datetime(self.data.get(f"seen-{order.pk}", ""))
            if seen is not None and is_aware(seen):
                return seen
        return NEVER

    def again(self, refusal: str) -> "StepForm":
        """Return the form with what was typed, the order as it is now, and the refusal."""
        form = type(self)(self.data, order=Order.objects.get(pk=self.order.pk))
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
        widget=UnfoldAdminTextInputWidget,
    )
    amount = forms.DecimalField(
        label=gettext_lazy("Amount"),
        max_digits=14,
        decimal_places=2,
        min_value=0,
        widget=UnfoldAdminDecimalFieldWidget,
    )

    def __init__(self, *args: Any, order: Order, **options: Any) -> None:
        super().__init__(*args, order=order, **options)
        self.fields["amount"].initial = order.total - paid_so_far(order)

    def take(self, order: Order, user: User) -> Order:
        seen = self.seen(order)
        return transitions.pay(order_id=order.pk, user=user, seen=seen, **self.cleaned_data)


class ParcelForm(StepForm):
    carrier = forms.CharField(
        label=gettext_lazy("Carrier"), max_length=100, widget=UnfoldAdminTextInputWidget
    )
    tracking_number = forms.CharField(
        label=gettext_lazy("Tracking number"),
        max_length=100,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )

    def take(self, order: Order, user: User) -> Order:
        return transitions.ship(order_id=order.pk, user=user, **self.cleaned_data)


class CorrectionForm(ParcelForm):
    """Corrects the known parcel."""

    def __init__(self, *args: Any, order: Order, **options: Any) -> None:
        super().__init__(*args, order=order, **options)
        kinds = (OrderEvent.Kind.SHIPPED, OrderEvent.Kind.PARCEL_CORRECTED)
        known = order.events.filter(kind__in=kinds).order_by("pk").last()
        for name, field in self.fields.items():
            field.initial = known.detail.get(name, "") if known else ""

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
        widget=UnfoldAdminTextInputWidget,
    )

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

    def __init__(self, *args: Any, order: Order, **options: Any) -> None:
        super().__init__(*args, order=order, **options)
        self.lines = {f"line-{line.pk}": line for line in order.lines.all()}
        for name, line in self.lines.items():
            left = line.quantity - line.refunded
            self.fields[name] = forms.IntegerField(
                label=line.name,
                min_value=0,
                # The limit isn't the units left: a repeated form finds fewer, without an error.
                max_value=line.quantity,
                initial=left,
                help_text=_("%(left)d of %(all)d left") % {"left": left, "all": line.quantity},
                widget=UnfoldAdminIntegerFieldWidget,
            )

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
