"""Choosing a variant on its parent's page: what the address says is chosen, and what there is.

`?variant=SKU` names one; `?o1=M&o2=red`, what the form sends, may be a part of the choice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db.models import Model

from orders.catalogue.browsing import variants_on_sale
from orders.models import Product

if TYPE_CHECKING:
    from orders.catalogue.browsing import ProductOnSale


@dataclass(frozen=True)
class Value:
    """One value of an option, as a radio button."""

    value: str
    """In the shop's own language: what the form sends."""
    label: str
    lang: str
    """The label's language if it isn't the reader's."""
    is_chosen: bool
    is_possible: bool
    """With what else is chosen, there is such a variant."""
    is_in_stock: bool


@dataclass(frozen=True)
class Option:
    """What is chosen, such as the size."""

    name: str
    """Of the form's field: o1, o2 …"""
    label: str
    lang: str
    values: list[Value]


@dataclass(frozen=True)
class Choice:
    """What is chosen of a parent's variants, in the order of its options; "": nothing yet."""

    parent: Product
    variants: "Sequence[ProductOnSale]"
    chosen: list[str]

    @property
    def variant(self) -> "ProductOnSale | None":
        """The variant that is chosen; None while a part of the choice is open, or there is none."""
        found = (each for each in self.variants if each.options == self.chosen)
        return next(found, None)

    @property
    def is_impossible(self) -> bool:
        """Everything is chosen, and there is no such variant."""
        return all(self.chosen) and self.variant is None

    @property
    def address(self) -> str:
        """The page's address with this choice."""
        if self.variant is not None:
            return variant_address(self.parent, self.variant)
        sent = {_field(place): value for place, value in enumerate(self.chosen) if value}
        path = self.parent.get_absolute_url()
        return f"{path}?{urlencode(sent)}" if sent else path

    @property
    def options(self) -> list[Option]:
        labels = self.parent.text("options")
        lang = self.parent.foreign_language("options")
        return [
            Option(_field(place), labels[place], lang, self._values(place))
            for place in range(len(self.chosen))
        ]

    def _values(self, place: int) -> list[Value]:
        values = []
        for value, variant in _values_of(self.variants, place).items():
            others = list(self.chosen)
            others[place] = value
            fitting = [each for each in self.variants if _fits(each, others)]
            values.append(
                Value(
                    value=value,
                    label=_label(variant, place),
                    lang=variant.foreign_language("options"),
                    is_chosen=self.chosen[place] == value,
                    is_possible=bool(fitting),
                    is_in_stock=any(each.available for each in fitting),
                )
            )
        return values


def read_choice(parent: Product, query: Mapping[str, str]) -> Choice:
    """Return what the address chooses of the parent's variants; what can't be is left out.

    An option with one value is chosen at once. It takes one query.
    """
    variants = variants_on_sale([parent.pk]).get(parent.pk, [])
    sku = query.get("variant", "")
    named = next((each for each in variants if each.sku == sku), None)
    if named is not None:
        return Choice(parent, variants, list(named.options))
    chosen = []
    for place in range(len(parent.options)):
        values = list(_values_of(variants, place))
        sent = query.get(_field(place), "")
        chosen.append(sent if sent in values else values[0] if len(values) == 1 else "")
    return Choice(parent, variants, chosen)


def variant_address(parent: Product, variant: Product) -> str:
    """Return the address of the parent's page with the variant chosen."""
    return f"{parent.get_absolute_url()}?{urlencode({'variant': variant.sku})}"


def option_pairs(parent: Product, variant: Product) -> list[tuple[str, str]]:
    """Return name and value of each option, in the shop's own language."""
    return list(zip(parent.options, variant.options, strict=False))


def _values_of(variants: "Sequence[ProductOnSale]", place: int) -> dict[str, Any]:
    """Return the values of an option in the variants' order, each with its first variant."""
    found: dict[str, Model] = {}
    for variant in variants:
        if place < len(variant.options):
            found.setdefault(variant.options[place], variant)
    return found


def _label(variant: Product, place: int) -> str:
    labels: list[str] = variant.text("options")
    return labels[place] if place < len(labels) else variant.options[place]


def _fits(variant: Product, chosen: Sequence[str]) -> bool:
    pairs = zip(variant.options, chosen, strict=False)
    return all(not wanted or value == wanted for value, wanted in pairs)


def _field(place: int) -> str:
    return f"o{place + 1}"
