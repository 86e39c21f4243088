"""The form of a new order beside its lines: customer, delivery, voucher and a note."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from orders.accounts.fields import TextField
from orders.desk.address_form import DeskAddressForm
from orders.lifecycle.notes import MAX_LENGTH
from orders.placing.request import MAX_NAME_LENGTH, clean_email, clean_phone
from orders.shop.delivery import handovers
from orders.shop.handover_form import HandoverForm
from orders.vouchers.discount import MAX_CODE_LENGTH
from project.address_input import sent_as_typed


class CustomerForm(DeskAddressForm, HandoverForm):
    """Whom the order is for and how it gets there, by the rules of `orders.placing.request`."""

    name = TextField(
        label=pgettext_lazy("person", "Name"),
        max_length=MAX_NAME_LENGTH,
        widget=UnfoldAdminTextInputWidget,
    )
    email = TextField(
        rule=clean_email,
        label=pgettext_lazy("address", "E-mail"),
        max_length=254,
        help_text=_("The confirmation goes here."),
        widget=sent_as_typed(UnfoldAdminTextInputWidget()),
    )
    phone = TextField(
        rule=clean_phone,
        label=_("Phone"),
        max_length=40,
        required=False,
        widget=UnfoldAdminTextInputWidget({"type": "tel"}),
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        initial=settings.LANGUAGE_CODE,
        help_text=_("Of the messages to the customer."),
        widget=UnfoldAdminSelectWidget,
    )
    handover = forms.ChoiceField(
        label=_("Handover"), choices=handovers, widget=UnfoldAdminRadioSelectWidget
    )
    voucher = TextField(
        label=_("Voucher"),
        required=False,
        max_length=MAX_CODE_LENGTH,
        help_text=_("The code that the customer names."),
        widget=UnfoldAdminTextInputWidget({"autocapitalize": "characters"}),
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=MAX_LENGTH,
        help_text=_("For colleagues: the customer doesn't see it."),
        widget=UnfoldAdminTextareaWidget({"rows": 2}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():  # or the browser fills in the operator's own
            field.widget.attrs["autocomplete"] = "off"

    @property
    def person_fields(self) -> list[Any]:
        return [self[name] for name in ("name", "email", "phone", "language")]
