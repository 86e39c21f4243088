"""An address as its country writes it, in a form: the checkout's, the address book's, the desk's.

The form has all fields of `ADDRESS_FIELDS`. By the country that is chosen they get their names,
their order and their rules (`project.address_rules`); what the country doesn't have isn't shown.
"""

from collections.abc import Collection
from typing import Any

from django import forms
from django.forms.utils import ErrorDict
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from orders.accounts.fields import ADDRESS_FIELDS
from project.address_rules import AddressRules, address_rules
from project.countries import COUNTRIES


class AddressFieldsForm(forms.Form):
    """A form with the fields of `address_fields`; `fit_country` is called by its constructor."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fit_country()

    @property
    def rules(self) -> AddressRules:
        """The rules of the chosen country."""
        chosen = str(self["country"].value() or "")
        return address_rules(chosen if chosen in COUNTRIES else "")

    @property
    def address_rows(self) -> list[list[forms.BoundField]]:
        """The fields as the country's addresses have them, those of one line together."""
        rows = self.rules.rows(get_language() or "en")
        return [[self[name] for name in row] for row in [*rows, *([name] for name in self.extra)]]

    @property
    def extra(self) -> list[str]:
        """The fields that are shown although the country's addresses don't have them."""
        return []

    @property
    def address_kept(self) -> SafeString:
        """The fields that the country's addresses don't have, as hidden inputs.

        Whoever chooses the wrong country and then the right one finds everything again.
        """
        fields = [self[name] for name in ADDRESS_FIELDS if name not in self._shown]
        hidden = [field.as_hidden() for field in fields]
        hidden += [
            field.as_hidden(only_initial=True)
            for field in fields
            if field.field.show_hidden_initial
        ]
        return SafeString("".join(hidden))

    @property
    def _shown(self) -> frozenset[str]:
        return self.rules.fields | {"country"} | frozenset(self.extra)

    def show_as_typed(self) -> None:
        """Show the form that was sent for another country's fields: it isn't checked yet."""
        self._errors = ErrorDict()

    def fit_country(self) -> None:
        """Give the fields the names, the hints and the lists of the chosen country."""
        rules = self.rules
        for name, label in rules.names.items():
            self.fields[name].label = str(label)
        if rules.regions:
            self._offer_regions(rules)
        for name in ADDRESS_FIELDS:
            # For the page's "optional"; `check_address` checks it.
            self.fields[name].is_needed = name in rules.required | {"country"}  # type: ignore[attr-defined]
        if rules.postcode_examples:
            self.fields["postcode"].help_text = _("For example %(postcode)s") % {
                "postcode": rules.postcode_examples[0]
            }

    def check_address(
        self, values: dict[str, Any], *, names: Collection[str] = ADDRESS_FIELDS
    ) -> None:
        """Add an error for each part that the country needs or can't have; tidy the others.

        `names` are the parts that are checked.
        """
        rules = self.rules
        for name in names:
            if name not in self._shown:
                self.errors.pop(name, None)
                values[name] = ""
            elif name in self.errors:
                continue
            elif not values.get(name) and self.fields[name].is_needed:  # type: ignore[attr-defined]
                self.add_error(name, self.fields[name].error_messages["required"])
        if "postcode" in names and values.get("postcode") and "postcode" not in self.errors:
            self._check_postcode(rules, values)

    def _check_postcode(self, rules: AddressRules, values: dict[str, Any]) -> None:
        tidy = rules.tidy_postcode(values["postcode"])
        if tidy is not None:
            values["postcode"] = tidy
            return
        text = _("This doesn’t fit the country (%(country)s). One is written like %(example)s.")
        message = text % {
            "country": COUNTRIES.get(rules.country, ""),
            "example": rules.postcode_examples[0] if rules.postcode_examples else "…",
        }
        self.add_error("postcode", message)

    def _offer_regions(self, rules: AddressRules) -> None:
        """Make the region a list. What is stored in another spelling is found in it."""
        is_native = rules.is_native(get_language() or "en")
        offered = {
            region.written(native=is_native): region.label(native=is_native)
            for region in rules.regions
        }
        self.fields["region"] = forms.ChoiceField(
            label=self.fields["region"].label,
            required=False,
            choices=[("", _("Choose …")), *offered.items()],
            widget=forms.Select({"autocomplete": "address-level1"}),
        )

        def offered_spelling(given: str) -> str:
            known = None if given in offered else rules.region_of(given)
            return known.written(native=is_native) if known else given

        # Both, or a form that compares them would take another spelling for a change.
        if "region" in self.initial:
            self.initial["region"] = offered_spelling(str(self.initial["region"]))
        name = self.add_prefix("region")
        if self.is_bound and name in self.data:
            data: Any = self.data.copy()  # type: ignore[attr-defined]
            data[name] = offered_spelling(str(data[name]))
            self.data = data
