"""Stock at the desk: the ledger of movements, and the form that writes one by hand."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from orders.catalogue.stock import MOST_UNITS
from orders.desk.stock_modes import MODES
from orders.finding.products import products_named
from orders.models import BY_HAND, StockMovement
from project.desk.day_ranges import DayRangeFilter
from project.desk.export_list import ExportList
from project.desk.long_lists import LongList
from project.desk.read_only import ReadOnly
from project.desk.search_terms import orders_numbered
from project.desk.sheets import Column, Sheet, column
from project.order_numbers import order_number

MAX_UNITS = 1_000_000


class StockForm(forms.Form):
    """A movement by hand: units that came in, a correction by some units, or a counted number.

    Each mode has its own field. A page from before there were modes has both.
    """

    delta = forms.IntegerField(
        label=_("Change by"),
        help_text=_("Units that came in; with a minus sign, units that are gone."),
        min_value=-MAX_UNITS,
        max_value=MAX_UNITS,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget({"placeholder": "+12", "inputmode": "text"}),
    )
    counted = forms.IntegerField(
        label=_("Or: counted"),
        help_text=_("Units that are there. What was ordered while you counted stays ordered."),
        min_value=0,
        max_value=MAX_UNITS,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Stays in the ledger for good, with your name."),
        max_length=200,
        widget=UnfoldAdminTextInputWidget({"placeholder": _("Delivery note 4711")}),
    )
    mode = forms.ChoiceField(
        choices=[(name, mode.label) for name, mode in MODES.items()],
        required=False,
        widget=forms.HiddenInput,
    )
    key = forms.UUIDField(widget=forms.HiddenInput)
    """Each page has its own key, so that a double click corrects once."""
    shown = forms.IntegerField(min_value=0, max_value=MOST_UNITS, widget=forms.HiddenInput)
    """The units on hand that the page showed. `counted` is compared with them."""
    last = forms.IntegerField(widget=forms.HiddenInput)
    """The id of the newest correction that the page showed. A count knows of no newer one."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        mode = MODES.get(str(self["mode"].value() or ""))
        if mode is None:
            return
        del self.fields["delta" if mode.field == "counted" else "counted"]
        field = self.fields[mode.field]
        field.label, field.help_text, field.required = mode.question, mode.help, True
        self.fields["reason"].widget.attrs["placeholder"] = mode.example
        if mode.least is not None:
            self.fields["delta"] = forms.IntegerField(
                label=mode.question,
                help_text=mode.help,
                min_value=mode.least,
                max_value=MAX_UNITS,
                widget=UnfoldAdminIntegerFieldWidget({"placeholder": "12"}),
            )
            self.order_fields(["delta", "reason"])

    @property
    def kind(self) -> StockMovement.Kind:
        """Return the kind of the valid form's movement."""
        values = self.cleaned_data
        if mode := MODES.get(values["mode"]):
            return mode.kind
        is_count = values.get("counted") is not None
        return StockMovement.Kind.COUNT if is_count else StockMovement.Kind.CORRECTION

    def clean(self) -> dict[str, Any]:
        """Compute `delta` from either field."""
        values = super().clean() or {}
        delta, counted = values.get("delta"), values.get("counted")
        if self.errors:
            return values
        if (delta is None) == (counted is None):
            raise ValidationError(_("Fill in one: the change, or what you counted."))
        if counted is not None:
            # `counted` is compared with the shown units, not the current ones: units that were
            # ordered meanwhile aren't shipped yet, so they were counted too.
            delta = counted - values["shown"]
        if not delta:
            raise ValidationError(_("That would change nothing."))
        return {**values, "delta": delta}


def _moved_by(movement: StockMovement) -> str:
    return movement.user.username if movement.user else ""


def _moved_for(movement: StockMovement) -> str:
    return movement.order.display_number if movement.order else ""


MOVEMENTS = Sheet(
    name="stock-movements",
    label=_("Stock movements"),
    columns=(
        column(_("when"), "created_at"),
        column(_("SKU"), "product.sku"),
        column(_("product"), "product.name"),
        column(_("units"), "quantity"),
        Column(_("kind"), lambda movement: movement.get_kind_display()),
        Column(_("order"), _moved_for),
        column(_("reason"), "reason"),
        Column(_("by"), _moved_by),
    ),
)


@admin.register(StockMovement)
class StockMovementAdmin(ReadOnly, ExportList, LongList):
    """The ledger, read-only. Orders and corrections write it."""

    list_display = ("created_at", "product", "units", "kind_label", "order", "reason", "user")
    list_display_links = None
    list_select_related = ("product", "order", "user")
    list_filter = ("kind", ("created_at", DayRangeFilter))
    list_filter_submit = True
    ordering = ("-created_at", "-id")
    sortable = {"created_at": ("created_at", "id")}
    search_fields = ("product__sku", "product__name", "reason")
    sheets = (MOVEMENTS,)
    search_help_text = _("SKU, words of the product's name or of a reason, or order number.")

    def matches(self, text: str) -> Q:
        """Find a product's movements, else an order's, else those with words of a reason."""
        if products := products_named(text):
            return Q(product__in=products)
        if number := order_number(text):
            return Q(order__in=orders_numbered(number))
        found = Q(kind__in=BY_HAND)  # only these have a reason
        for word in text.split():
            found &= Q(reason__icontains=word)
        return found

    @display(description=_("units"), ordering="quantity", label={"in": "success", "out": ""})
    def units(self, movement: StockMovement) -> tuple[str, str]:
        return "in" if movement.quantity > 0 else "out", f"{movement.quantity:+d}"

    @display(description=_("kind"), ordering="kind")
    def kind_label(self, movement: StockMovement) -> str:
        return movement.get_kind_display()
