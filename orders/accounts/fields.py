"""Form fields that validate by the rules of orders, for account pages and checkout."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from orders.placing.countries import COUNTRIES
from orders.placing.errors import InvalidOrder
from orders.placing.request import clean_text

ADDRESS_FIELDS = ("line1", "line2", "city", "postcode", "country")


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


def address_fields(*, required: bool) -> tuple[forms.Field, ...]:
    """Return the fields line1, line2, postcode, city and country, in the order of the pages.

    `required` applies to all fields except line2, which is always optional.
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
            required=required,
            widget=forms.TextInput({"autocomplete": "postal-code"}),
        ),
        TextField(
            label=_("City"),
            max_length=100,
            required=required,
            widget=forms.TextInput({"autocomplete": "address-level2"}),
        ),
        forms.ChoiceField(
            label=_("Country"),
            choices=_countries,
            initial=settings.SHOP_COUNTRY,
            required=required,
            widget=forms.Select({"autocomplete": "country"}),
        ),
    )


def _countries() -> list[tuple[str, Any]]:
    # In GB 18030 the common Chinese characters are sorted by their pronunciation.
    return sorted(COUNTRIES.items(), key=lambda item: str(item[1]).encode("gb18030"))
