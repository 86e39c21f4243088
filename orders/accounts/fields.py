"""Form fields that validate by the rules of orders, for account pages and checkout."""

import unicodedata
from collections.abc import Callable
from typing import Any, ClassVar

from allauth.account.fields import EmailField as AllauthEmailField
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from orders.placing.errors import InvalidOrder
from orders.placing.request import clean_email, clean_text
from project.countries import COUNTRIES

ADDRESS_FIELDS = ("line1", "line2", "city", "region", "postcode", "country")


class FocusedIfWrong(forms.BoundField):
    """A field that has the focus if it is its form's first with an error.

    So the page that answers a refused form shows the error, wherever the form is on it.
    """

    def build_widget_attrs(
        self, attrs: dict[str, Any], widget: forms.Widget | None = None
    ) -> dict[str, Any]:
        attrs = super().build_widget_attrs(attrs, widget)
        wrong = (name for name in self.form.fields if name in self.form.errors)
        return {**attrs, "autofocus": True} if self.name == next(wrong, None) else attrs


class TextField(forms.CharField):
    """A text that a rule of `orders.placing.request` checks; its errors become form errors."""

    def __init__(self, *, rule: Callable[[str], str] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self._rule = rule

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        if not text:
            return ""
        try:
            text = clean_text(text, field="", max_length=self.max_length or 0)
            return self._rule(text) if self._rule else text
        except InvalidOrder as invalid:
            raise ValidationError([error.message for error in invalid.errors]) from None


class EmailField(AllauthEmailField):
    """The e-mail field of allauth's forms, by the rule of orders, in small letters."""

    default_validators: ClassVar[list[Any]] = []  # the rule checks more

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if text in self.empty_values:
            return text
        try:
            return clean_email(text)
        except InvalidOrder as invalid:
            raise ValidationError([error.message for error in invalid.errors]) from None


def address_fields(*, required: bool) -> tuple[forms.Field, ...]:
    """Return the fields line1, line2, postcode, city, region and country.

    `required` applies to street, city and country. What else a country needs, how it names the
    fields and in what order it writes them is `orders.accounts.address_form`'s matter.
    """
    return (
        TextField(
            label=_("Street and number"),
            max_length=200,
            required=required,
            widget=forms.TextInput({"autocomplete": "address-line1"}),
        ),
        TextField(
            label=_("Apartment, floor, company"),
            max_length=200,
            required=False,
            widget=forms.TextInput({"autocomplete": "address-line2"}),
        ),
        TextField(
            label=_("Postcode"),
            max_length=20,
            required=False,
            widget=forms.TextInput({"autocomplete": "postal-code"}),
        ),
        TextField(
            label=_("City"),
            max_length=100,
            required=required,
            widget=forms.TextInput({"autocomplete": "address-level2"}),
        ),
        TextField(
            label=_("State or province"),
            max_length=100,
            required=False,
            widget=forms.TextInput({"autocomplete": "address-level1"}),
        ),
        forms.ChoiceField(
            label=_("Country"),
            choices=countries_by_name,
            initial=settings.SHOP_COUNTRY,
            required=required,
            widget=forms.Select({"autocomplete": "country"}),
        ),
    )


def countries_by_name() -> list[tuple[str, Any]]:
    """Return the codes and names of all countries, by name in the reader's language."""
    return sorted(COUNTRIES.items(), key=lambda item: _sort_key(str(item[1])))


def _sort_key(name: str) -> bytes:
    """Sort by pronunciation, as GB 18030 has the common Chinese characters; Å is an A."""
    return unicodedata.normalize("NFKD", name).encode("gb18030")
