"""The lines of a new order: found by words or SKU, each with a form, and summed up.

The page keeps its lines in its own form, so that nothing is stored before the order is placed.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
)

from orders.accounts.fields import TextField
from orders.catalogue.browsing import variants_on_sale
from orders.catalogue.search.filters import Filters
from orders.catalogue.search.listing import read_listing
from orders.models import Product
from orders.models.product import IS_SOLD, ORDERABLE
from orders.placing.by_operator import LARGEST_PRICE, MAX_REASON, HandPrice
from orders.placing.request import MAX_LINES, MAX_QUANTITY, RequestedLine
from orders.quotes.parcel import Quote
from orders.shop.voucher import NO_VOUCHER, ShownVoucher
from orders.vouchers.discount import DiscountedLine

if TYPE_CHECKING:
    from orders.catalogue.browsing import ProductOnSale

FOUND = 10
_SKU = re.compile(r"line-(\d{1,3})-sku")
Row = dict[str, str]
"""What one line holds, as it was typed: sku, seen, quantity, price and reason."""


def find_products(text: str) -> list[Product]:
    """Return the products on sale that fit the text best, as the shop finds them.

    Instead of a parent its variants, of which one can be ordered.
    """
    if not text:
        return []
    listed = read_listing(Filters(search=text), size=FOUND, page=1).products
    variants = variants_on_sale(product.pk for product in listed if product.is_parent)
    offered = (each for one in listed for each in variants.get(one.pk, [one]))
    return [product for product in offered if not product.is_parent]


def read_rows(data: Mapping[str, str]) -> list[Row]:
    """Return the lines that the page sent, in their order."""
    positions = sorted(int(match[1]) for name in data if (match := _SKU.fullmatch(name)))
    return [
        {name: data.get(f"line-{position}-{name}", "") for name in LineForm.base_fields}
        for position in positions[:MAX_LINES]
    ]


def add_row(rows: list[Row], sku: str) -> None:
    """Add one unit of the product. The caller has looked that there is room for a line."""
    for row in rows:
        if row["sku"] == sku:
            units = row["quantity"].strip()
            if units.isascii() and units.isdecimal() and len(units) < 4:
                row["quantity"] = str(min(int(units) + 1, MAX_QUANTITY))
            return
    rows.append({"sku": sku, "seen": "", "quantity": "1", "price": "", "reason": ""})


class LineForm(forms.Form):
    """One product of the order. Without a price by hand it is sold for the shop's price."""

    sku = forms.CharField(max_length=40, widget=forms.HiddenInput)
    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    """The shop's price that the page showed, to tell when it has changed."""
    quantity = forms.IntegerField(
        label=gettext_lazy("Quantity"),
        min_value=1,
        max_value=MAX_QUANTITY,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    price = forms.DecimalField(
        label=gettext_lazy("Price by hand"),
        required=False,
        min_value=0,
        max_value=LARGEST_PRICE,
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget,
    )
    reason = TextField(
        label=gettext_lazy("Reason for it"),
        required=False,
        max_length=MAX_REASON,
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, row: Row, *, position: int, product: "ProductOnSale | None") -> None:
        self.product, self.typed_sku = product, row["sku"]
        self.price_before = _other_price(row["seen"], product)
        prefix = f"line-{position}"
        shown = row | {"seen": str(product.price) if product else ""}
        super().__init__({f"{prefix}-{name}": shown[name] for name in row}, prefix=prefix)
        for name in ("quantity", "price", "reason"):
            self.fields[name].widget.attrs["aria-label"] = self.fields[name].label

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if self.product is None:
            self.add_error(None, _("It is no longer on sale. Remove it."))
        elif self.product.requires_upload:
            self.add_error(None, needs_upload())
        if values.get("price") is not None and not values.get("reason"):
            if "reason" not in self.errors:
                self.add_error("reason", _("Say in a few words why it has this price."))
        elif values.get("reason") and values.get("price") is None and "price" not in self.errors:
            self.add_error("price", _("Enter the price, or clear its reason."))
        return values

    def requested(self) -> RequestedLine:
        return RequestedLine(self.cleaned_data["sku"], self.cleaned_data["quantity"])

    def by_hand(self) -> HandPrice | None:
        """Return the price by hand, if any, of a valid form."""
        price = self.cleaned_data["price"]
        return None if price is None else HandPrice(price, self.cleaned_data["reason"])


def needs_upload() -> str:
    """Return why a product that is made with the customer's file isn't ordered at the desk."""
    return _(
        "It is made with a picture or video of the customer, who orders it in the shop and uploads"
        " it there."
    )


def line_forms(rows: list[Row]) -> list[LineForm]:
    """Return the forms of the lines, with their products, in one query."""
    skus = [row["sku"] for row in rows]
    found = Product.objects.filter(ORDERABLE, IS_SOLD, sku__in=skus) if skus else ()
    if skus:
        found = found.annotate(available=Coalesce(F("stock__available"), 0))  # type: ignore[union-attr]
    products: dict[str, Any] = {product.sku: product for product in found}
    return [
        LineForm(row, position=position, product=products.get(row["sku"]))
        for position, row in enumerate(rows)
    ]


@dataclass(frozen=True)
class SummaryLine:
    name: str
    quantity: int
    unit_price: Decimal
    is_by_hand: bool
    category_id: int

    @property
    def total(self) -> Decimal:
        return self.unit_price * self.quantity

    @property
    def discounted(self) -> DiscountedLine:
        """What a voucher takes its discount of."""
        return DiscountedLine(self.total, self.category_id)


@dataclass(frozen=True)
class Summary:
    """What the order costs as the page holds it."""

    lines: list[SummaryLine]
    has_errors: bool
    """Return True if a line isn't counted, because it isn't right yet."""
    delivery: Quote | None = None
    """The chosen quote, if it is delivered at a price."""
    voucher: ShownVoucher = NO_VOUCHER

    @property
    def total(self) -> Decimal:
        delivery = self.delivery.price if self.delivery else Decimal("0.00")
        return sum((line.total for line in self.lines), delivery) - self.voucher.amount


def sum_up(lines: Iterable[LineForm]) -> Summary:
    """Return what the lines cost that are right."""
    forms_ = list(lines)
    right = [form for form in forms_ if form.is_valid()]
    return Summary([_summed(form) for form in right], has_errors=len(right) < len(forms_))


def _summed(form: LineForm) -> SummaryLine:
    assert form.product is not None  # the form is valid
    by_hand = form.by_hand()
    return SummaryLine(
        name=form.product.name,
        quantity=form.cleaned_data["quantity"],
        unit_price=by_hand.price if by_hand else form.product.price,
        is_by_hand=by_hand is not None,
        category_id=form.product.category_id,
    )


def _other_price(seen: str, product: "ProductOnSale | None") -> Decimal | None:
    """Return the price that the page showed, if the product has another one now."""
    try:
        price = Decimal(seen) if seen and product else None
    except InvalidOperation:
        return None
    return price if price is not None and product and price != product.price else None
