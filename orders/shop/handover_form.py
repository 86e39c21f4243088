"""How an order gets to its customer, in a form: the checkout's, and the desk's new order."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from orders.accounts.address_form import AddressFieldsForm
from orders.accounts.fields import ADDRESS_FIELDS, address_fields
from orders.placing.request import ChosenDelivery, RequestedLine
from orders.quotes.carriers.pickup import NAME as PICKUP
from orders.shop.delivery import (
    NOT_ASKED,
    DeliveryOffer,
    delivers_at_a_price,
    handovers,
    offer_of,
)


class HandoverForm(AddressFieldsForm):
    """Pick-up, or an address with the quote of a carrier."""

    handover = forms.ChoiceField(
        label=_("How would you like to get it?"), choices=handovers, widget=forms.RadioSelect
    )
    line1, line2, postcode, city, region, country = address_fields(required=False)
    delivery = forms.RegexField(
        r"^[A-Za-z0-9._-]{1,30}/[A-Za-z0-9._-]{1,40}$",
        label=_("Delivery"),
        required=False,
        error_messages={"invalid": _("Choose how it is delivered.")},
    )
    """The chosen quote: `carrier/service`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        ways = dict(handovers())
        if self.initial.get("handover") not in ways:
            self.initial["handover"] = next(iter(ways))

    def clean(self) -> dict[str, Any]:
        """Require the address for a delivery; drop it for a pickup."""
        values = super().clean() or {}
        if values.get("handover") == "delivery":
            self.check_address(values)
            is_chosen = values.get("delivery") or "delivery" in self.errors
            if self.has_address and not is_chosen and delivers_at_a_price():
                self.add_error("delivery", self.fields["delivery"].error_messages["invalid"])
        else:
            for name in (*ADDRESS_FIELDS, "delivery"):
                self.errors.pop(name, None)
                values[name] = ""
        return values

    @property
    def has_address(self) -> bool:
        """Tell whether the form was sent with a whole address for its delivery."""
        is_delivery = self.cleaned_data.get("handover") == "delivery"
        return is_delivery and not self.errors.keys() & set(ADDRESS_FIELDS)

    @property
    def address(self) -> dict[str, str]:
        """The address of the form that was sent, as the order keeps it."""
        values = self.cleaned_data
        return {name: values[name] for name in ADDRESS_FIELDS if values.get(name)}

    def chosen_delivery(self) -> ChosenDelivery | None:
        """Return the quote that a form which was sent chose; None where delivery has no price."""
        if self.cleaned_data.get("handover") == "pickup":
            return ChosenDelivery(PICKUP, "shop")
        carrier, _slash, service = (self.cleaned_data.get("delivery") or "").partition("/")
        return ChosenDelivery(carrier, service) if service else None

    def offer(self, lines: Sequence[RequestedLine], *, counted_address: str = "") -> DeliveryOffer:
        """Return what the carriers offer for these lines, once the form has a whole address.

        It may take 1.5 s.
        """
        checked = self if self.is_bound else type(self)(self.initial)
        checked.is_valid()
        if not (lines and delivers_at_a_price() and checked.has_address):
            return NOT_ASKED
        return offer_of(
            address=checked.address,
            lines=lines,
            chosen=checked.chosen_delivery(),
            counted_address=counted_address,
        )
