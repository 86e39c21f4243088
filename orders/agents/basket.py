"""What an agent wants, priced as it is now: lines, discounts and totals of a cart or checkout."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from orders.agents.catalog import pictures
from orders.agents.discounts import Discounts, discounts_for
from orders.agents.envelope import Message, error, minor, total, warning
from orders.agents.wanted import Wanted
from orders.catalogue.browsing import products_on_sale, variants_on_sale
from orders.models import Product
from orders.models.product import IS_SOLD
from orders.placing.request import MAX_QUANTITY, RequestedLine
from orders.quotes.parcel import Quote
from orders.taxes.rates import country_of, rates_of
from orders.taxes.splitting import TaxedLine, taxes_of
from orders.vouchers.discount import DiscountedLine

MOST_NAMED = 10
"""So many variants are named where a parent was sent."""


@dataclass(frozen=True)
class BasketLine:
    """A line that can be bought. Its id is the SKU: an order has one line a product."""

    product: Any
    quantity: int

    @property
    def total(self) -> Decimal:
        return Decimal(self.product.price) * self.quantity

    def shown(self, off: Decimal) -> dict[str, Any]:
        product = self.product
        image = next(iter(pictures(product)), None)
        return {
            "id": product.sku,
            "item": {
                "id": product.sku,
                "title": product.shown_name,
                "price": minor(product.price),
                **({"image_url": image[0]} if image else {}),
            },
            "quantity": self.quantity,
            "totals": [
                total("subtotal", self.total),
                *([total("items_discount", -off)] if off else []),
                total("total", self.total - off),
            ],
        }


@dataclass(frozen=True)
class Basket:
    lines: list[BasketLine]
    messages: list[Message]
    discounts: Discounts = field(default_factory=Discounts)

    @property
    def requested(self) -> tuple[RequestedLine, ...]:
        return tuple(RequestedLine(line.product.sku, line.quantity) for line in self.lines)

    @property
    def quantities(self) -> dict[str, int]:
        return {line.product.sku: line.quantity for line in self.lines}

    @property
    def needs_upload(self) -> bool:
        """True if a product of it isn't to be had without a person's picture or video."""
        return any(line.product.requires_upload for line in self.lines)

    @property
    def subtotal(self) -> Decimal:
        return sum((line.total for line in self.lines), Decimal(0))

    def total(self, quote: Quote | None = None) -> Decimal:
        return self.subtotal - self.discounts.amount + (quote.price if quote else Decimal(0))

    def shown_lines(self) -> list[dict[str, Any]]:
        of_items = self.discounts.is_of_items
        return [
            line.shown(off if of_items else Decimal(0))
            for line, off in zip(self.lines, self.discounts.per_line, strict=True)
        ]

    def shown_totals(
        self, quote: Quote | None = None, address: dict[str, str] | None = None
    ) -> list[dict[str, Any]]:
        """Return the totals in the order in which a platform renders them; they add up."""
        of_items, off = self.discounts.is_of_items, self.discounts.amount
        parts = [
            {"display_text": line.product.shown_name, "amount": minor(line.total)}
            for line in self.lines
        ]
        shown = [total("subtotal", self.subtotal, _("Items"), lines=parts)]
        if off:
            kind = "items_discount" if of_items else "discount"
            shown.append(total(kind, -off, _("Voucher")))
        if quote is not None:
            shown.append(total("fulfillment", quote.price, quote.label))
        taxes = self._taxes(quote, address or {})
        shown.append(total("total", self.total(quote), _("Total"), **taxes))
        return shown

    def _taxes(self, quote: Quote | None, address: dict[str, str]) -> dict[str, Any]:
        """Return what the total is made of: prices include the tax, so it is no entry of its own.

        The shop's prices have it in them, and an entry `tax` would be added once more.
        """
        rates = rates_of(self.quantities, country=country_of(address))
        taxes = taxes_of(
            [
                TaxedLine(line.total - off, rates.get(line.product.sku))
                for line, off in zip(self.lines, self.discounts.per_line, strict=True)
            ],
            delivery=quote.price if quote else Decimal(0),
            currency=settings.SHOP_CURRENCY,
        )
        if not taxes:
            return {}
        parts = [{"display_text": _("Net"), "amount": sum(minor(each.net) for each in taxes)}]
        parts += [
            {
                "display_text": _("VAT %(rate)s%%") % {"rate": each.percent},
                "amount": minor(each.tax),
            }
            for each in taxes
        ]
        return {"lines": parts}


def read_basket(wanted: Wanted) -> Basket:
    """Return what can be bought of it now, and a message about each line that can't.

    A line of which there are fewer units has as many as there are.
    """
    asked: list[tuple[str, int]] = [(sku, quantity) for sku, quantity in wanted.get("lines", ())]
    on_sale = products_on_sale().filter(sku__in=[sku for sku, _quantity in asked])
    known: dict[str, Any] = {product.sku: product for product in on_sale}
    sold = set(Product.objects.filter(IS_SOLD, sku__in=known).values_list("sku", flat=True))
    parents = [product.pk for sku, product in known.items() if sku not in sold]
    variants = variants_on_sale(parents) if parents else {}
    lines: list[BasketLine] = []
    messages: list[Message] = []
    for place, (sku, quantity) in enumerate(asked):
        path = f"$.line_items[{place}]"
        product = known.get(sku)
        if product is None or sku not in sold:
            text = _unavailable(sku, variants.get(product.pk, ()) if product else ())
            messages.append(error("item_unavailable", text, path=path))
        elif product.available <= 0:
            text = _("%(name)s is sold out.") % {"name": product.shown_name}
            messages.append(error("out_of_stock", text, path=path))
        else:
            count = min(quantity, product.available, MAX_QUANTITY)
            if count < quantity:
                text = _("%(name)s: %(count)d instead of %(wanted)d, as many as there are.") % {
                    "name": product.shown_name,
                    "count": count,
                    "wanted": quantity,
                }
                messages.append(warning("quantity_adjusted", text, path=f"{path}.quantity"))
            lines.append(BasketLine(product, count))
    priced = [DiscountedLine(line.total, line.product.category_id) for line in lines]
    discounts = discounts_for(wanted.get("codes", ()), priced)
    return Basket(lines, messages + discounts.messages, discounts)


def _unavailable(sku: str, variants: Sequence[Any]) -> str:
    """Return why the product can't be bought: a parent is sold as one of its variants."""
    if not variants:
        return _("%(sku)s can’t be bought.") % {"sku": sku}
    text = _("%(sku)s is sold as variants. Choose one of them: %(variants)s.")
    named = [each.sku for each in variants[:MOST_NAMED]]
    more = ["…"] if len(variants) > MOST_NAMED else []
    return text % {"sku": sku, "variants": ", ".join([*named, *more])}
