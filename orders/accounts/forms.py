"""The forms of the account's pages, and of the search for an order without an account."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from notifications.events import EVENTS, Audience
from orders.accounts.address_form import AddressFieldsForm
from orders.accounts.fields import FocusedIfWrong, TextField, address_fields
from orders.models import Address, User
from orders.placing.request import MAX_NAME_LENGTH, clean_email
from project.address_input import sent_as_typed
from project.opened_values import OpenedForm
from project.order_numbers import NUMBER_PREFIX, digits_of

MUTABLE = tuple(
    name
    for name, event in EVENTS.items()
    if event.may_opt_out and event.audience is Audience.SHOPPER
)
"""The messages about orders that a user may switch off. Announcements are switched on instead."""


class AddressForm(OpenedForm, AddressFieldsForm):
    """An address, validated by the rules of the checkout.

    `initial` is the stored address, which a second tab or device may change; empty for a new one.
    """

    bound_field_class = FocusedIfWrong
    line1, line2, postcode, city, region, country = address_fields(required=True)
    is_default = forms.BooleanField(label=_("Fill the checkout with it"), required=False)

    def changes_something(self) -> bool:
        return bool(self.initial)

    def changes(self) -> dict[str, Any]:
        """Return what the valid form's page changed; all of a new address."""
        if not self.initial:
            return self.cleaned_data
        return {name: self.cleaned_data[name] for name in self.changed_data}

    def clean(self) -> dict[str, Any]:
        """Require what the country's addresses have."""
        values = super().clean() or {}
        self.check_address(values)
        return values

    @staticmethod
    def values_of(address: Address) -> dict[str, Any]:
        return {name: getattr(address, name) for name in AddressForm.base_fields}


class SettingsForm(OpenedForm, forms.Form):
    """The user's name, language and choice of messages.

    The desk, an unsubscribe link and a second tab change the same user.
    """

    name = TextField(
        label=pgettext_lazy("person", "Name"),
        max_length=MAX_NAME_LENGTH,
        required=False,
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    language = forms.ChoiceField(
        label=_("Language of pages and messages"), choices=settings.LANGUAGES
    )
    welcome_events = forms.MultipleChoiceField(
        label=_("Messages about my orders"),
        choices=lambda: [(name, EVENTS[name].label) for name in MUTABLE],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    wants_announcements = forms.BooleanField(
        label=_("News and offers, now and then"), required=False
    )

    @staticmethod
    def values_of(user: User) -> dict[str, Any]:
        return {
            "name": user.name,
            "language": user.language,
            "welcome_events": [name for name in MUTABLE if name not in user.muted_events],
            "wants_announcements": user.wants_announcements,
        }

    def changes(self) -> dict[str, Any]:
        """Return what the valid form's page changed, as fields of a user."""
        changes = {name: self.cleaned_data[name] for name in self.changed_data}
        if "welcome_events" in changes:
            welcome = changes.pop("welcome_events")
            changes["muted_events"] = [name for name in MUTABLE if name not in welcome]
        return changes

    def opened_events(self) -> SafeString:
        """Return the hidden inputs of `welcome_events`, whose boxes the template places itself."""
        return self["welcome_events"].as_hidden(only_initial=True)


class FindOrderForm(forms.Form):
    """An order's number and the e-mail address that it was placed with."""

    bound_field_class = FocusedIfWrong

    number = TextField(
        label=_("Order number"),
        max_length=40,
        widget=forms.TextInput({"placeholder": f"{NUMBER_PREFIX}1001", "autocomplete": "off"}),
    )
    email = TextField(
        rule=clean_email,
        label=pgettext_lazy("address", "E-mail"),
        max_length=254,
        widget=sent_as_typed(forms.TextInput({"autocomplete": "email"})),
    )

    def clean_number(self) -> int:
        """Return the number that the text's digits make; 0 (no order) if they make none."""
        return digits_of(self.cleaned_data["number"]) or 0
