"""The shop's forms: a change of the cart, and the checkout."""

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.accounts.fields import TextField
from orders.models import Order
from orders.payments.methods import shop_methods
from orders.placing.payment_choice import AT_PICKUP
from orders.placing.request import (
    KEY_PATTERN,
    MAX_LINES,
    MAX_NAME_LENGTH,
    MAX_QUANTITY,
    OrderRequest,
    RequestedLine,
    clean_email,
    clean_phone,
)
from orders.shop.handover_form import HandoverForm
from orders.shop.lines import read_line
from orders.vouchers.discount import MAX_CODE_LENGTH, plain_code
from project.address_input import sent_as_typed


class CartForm(forms.Form):
    """One change of the cart: add, set or remove a product."""

    action = forms.ChoiceField(choices=[(name, name) for name in ("add", "set", "remove")])
    sku = forms.CharField(max_length=40)
    quantity = forms.IntegerField(min_value=0, max_value=MAX_QUANTITY, required=False)
    upload = forms.UUIDField(required=False)
    """The upload of the line: a product has a line per upload."""
    step = forms.IntegerField(min_value=-1, max_value=1, required=False)
    """The buttons beside the number: one more or one less than `quantity`."""

    def clean(self) -> dict[str, Any]:
        """Compute the new `quantity` from `quantity`, `step` and `action`."""
        values = super().clean() or {}
        quantity = values.get("quantity")
        quantity = (1 if quantity is None else quantity) + (values.get("step") or 0)
        if values.get("action") == "remove":
            quantity = 0
        elif values.get("action") == "add" and quantity < 1:
            raise ValidationError(_("Choose a quantity from 1 to 999."))
        return {**values, "quantity": min(quantity, MAX_QUANTITY)}


class LinesField(forms.Field):
    """The lines that the shopper confirmed, in the format of `lines.line_text`."""

    widget = forms.MultipleHiddenInput
    default_error_messages = {"required": "", "invalid": ""}

    def to_python(self, value: Any) -> tuple[RequestedLine, ...]:
        texts = value or []
        if len(texts) > MAX_LINES:
            raise ValidationError(self.error_messages["invalid"])
        return tuple(self._line(text) for text in texts)

    def _line(self, text: str) -> RequestedLine:
        line = read_line(text)
        if line is None or line.quantity < 1:
            raise ValidationError(self.error_messages["invalid"])
        return line


def payment_choices() -> list[tuple[str, str | Promise]]:
    """Return the ways to pay; the form refuses those that don't fit the chosen handover."""
    return [(way.name, way.label) for way in shop_methods(is_picked_up=settings.DELIVERY_PICKUP)]


class CheckoutForm(HandoverForm):
    """The checkout: lines, shopper and delivery, by the rules of `orders.placing.request`."""

    field_order = ("email", "name", "phone")
    CONFIRMED_FIELDS = ("key", "line", "hold", "expected_total", "counted_delivery")
    """The hidden fields. The page writes them, so an error in one means that the page is out of
    date or forged."""

    email = TextField(
        rule=clean_email,
        label=pgettext_lazy("address", "E-mail"),
        max_length=254,
        help_text=_("Your confirmation goes here."),
        widget=sent_as_typed(forms.TextInput({"autocomplete": "email"})),
    )
    name = TextField(
        label=pgettext_lazy("person", "Name"),  # other apps translate their own "Name"
        max_length=MAX_NAME_LENGTH,
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    phone = TextField(
        rule=clean_phone,
        label=_("Phone"),
        max_length=40,
        required=False,
        help_text=_("So that we can reach you about this order."),
        widget=forms.TextInput({"type": "tel", "autocomplete": "tel"}),
    )
    payment = forms.ChoiceField(
        label=_("How would you like to pay?"),
        choices=payment_choices,
        required=False,  # it is chosen on the order's page, if the shop has no way or one more
        widget=forms.RadioSelect,
    )
    voucher = forms.CharField(
        label=_("Voucher"),
        max_length=MAX_CODE_LENGTH,
        required=False,
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "characters"}),
    )
    key = forms.CharField(validators=[RegexValidator(KEY_PATTERN)], widget=forms.HiddenInput)
    line = LinesField()
    expected_total = forms.DecimalField(max_digits=14, decimal_places=2, widget=forms.HiddenInput)
    hold = forms.UUIDField(required=False, widget=forms.HiddenInput)
    """What the page has set aside: an order has it also if its session was lost."""
    counted_delivery = forms.CharField(max_length=80, required=False, widget=forms.HiddenInput)
    """The delivery that is part of `expected_total`: `carrier/service`; empty if none is."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, _label in payment_choices()[:1]:
            self.initial.setdefault("payment", name)
        self.fields["country"].widget.attrs |= {
            "hx-post": reverse("checkout-address"),
            "hx-target": "#address",
            "hx-sync": "this:replace",
        }

    @classmethod
    def typed_fields(cls) -> list[str]:
        return [name for name in cls.base_fields if name not in cls.CONFIRMED_FIELDS]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("payment") == AT_PICKUP and values.get("handover") == "delivery":
            message = _("You can pay at pick-up only what you pick up. Choose another way to pay.")
            self.add_error("payment", message)
        return values

    @property
    def has_other_delivery(self) -> bool:
        """Tell whether a valid form chose another delivery than its page's total has.

        Without JavaScript the total is that of the page's choice, whatever is chosen then.
        """
        counted = self.data.get("counted_delivery")  # an old page has none
        return counted is not None and counted != self.cleaned_data["delivery"]

    @property
    def is_outdated(self) -> bool:
        """Return True if a hidden field is missing or invalid."""
        return any(name in self.errors for name in self.CONFIRMED_FIELDS)

    def order_request(
        self,
        *,
        language: str,
        user_id: int | None,
        counted_address: str = "",
        session_key: str = "",
        hold: UUID | None = None,
    ) -> OrderRequest:
        """Return the order request of a valid form.

        Its limits count the address and the session's key; of the hold it gets the units.
        """
        values = self.cleaned_data
        return OrderRequest(
            source=Order.Source.SHOP,
            key=values["key"],
            name=values["name"],
            email=values["email"],
            phone=values["phone"],
            language=language,
            address=self.address,
            lines=values["line"],
            user_id=user_id,
            delivery=self.chosen_delivery(),
            payment_method=values["payment"],
            expected_total=values["expected_total"],
            counted_address=counted_address,
            session_key=session_key,
            voucher=plain_code(values["voucher"]),
            hold=hold,
        )
