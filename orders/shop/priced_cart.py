"""A cart's lines with the names, prices and stock of now."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from django.conf import settings

from orders.catalogue.browsing import products_on_sale
from orders.models import Product, Upload
from orders.models.product import IS_SOLD
from orders.placing.request import RequestedLine
from orders.placing.upload_checks import check_error, checks_of
from orders.shop.lines import line_text
from orders.taxes.rates import rates_of
from orders.taxes.splitting import Split, TaxedLine, taxes_of
from orders.vouchers.discount import DiscountedLine


@dataclass(frozen=True)
class PricedLine:
    product: Product
    quantity: int
    available: int
    """The units that this line can have, without those of other lines with the same product."""
    upload: Upload | None = None
    problem: str = ""
    """Why its upload can't be ordered with, or not yet."""

    @property
    def total(self) -> Decimal:
        return self.product.price * self.quantity

    @property
    def is_short(self) -> bool:
        return self.quantity > self.available

    @property
    def token(self) -> str:
        return str(self.upload.token) if self.upload else ""

    @property
    def requested(self) -> RequestedLine:
        return RequestedLine(self.product.sku, self.quantity, self.token)

    @property
    def text(self) -> str:
        """Return the line in the checkout form's format."""
        return self._text(self.quantity)

    @property
    def text_of_available(self) -> str:
        return self._text(self.available)

    @property
    def text_of_none(self) -> str:
        return self._text(0)

    def _text(self, quantity: int) -> str:
        return line_text(RequestedLine(self.product.sku, quantity, self.token))


@dataclass(frozen=True)
class PricedCart:
    lines: list[PricedLine]
    gone: list[RequestedLine]
    """The lines whose product is no longer on sale or whose upload is gone."""

    @property
    def total(self) -> Decimal:
        return sum((line.total for line in self.lines), Decimal(0))

    @property
    def discounted_lines(self) -> list[DiscountedLine]:
        """What a voucher takes its discount of."""
        return [DiscountedLine(line.total, line.product.category_id) for line in self.lines]

    def taxes(
        self, *, country: str, delivery: Decimal, discounts: Sequence[Decimal] = ()
    ) -> list[Split]:
        """Return the tax that the total with this delivery includes, by its rates.

        `discounts`: what a voucher takes off each line; empty: nothing.
        """
        rates = rates_of([line.product.sku for line in self.lines], country=country)
        return taxes_of(
            [
                TaxedLine(line.total - off, rates.get(line.product.sku))
                for line, off in zip(
                    self.lines, discounts or [Decimal(0)] * len(self.lines), strict=True
                )
            ],
            delivery=delivery,
            currency=settings.SHOP_CURRENCY,
        )

    @property
    def units(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def is_short(self) -> bool:
        return any(line.is_short for line in self.lines)


def priced(
    wanted: Sequence[RequestedLine], *, held: Mapping[int, int] = MappingProxyType({})
) -> PricedCart:
    """Return the lines with current names, prices and stock, and their uploads.

    `held`: the units by product that are set aside for this shopper, who can have them.
    """
    if not wanted:
        return PricedCart([], [])
    skus = {line.sku for line in wanted}
    on_sale = products_on_sale().filter(IS_SOLD, sku__in=skus)
    products = {product.sku: product for product in on_sale}
    tokens = [line.upload for line in wanted if line.upload]
    uploads = Upload.objects.filter(token__in=tokens, line=None).in_bulk() if tokens else {}
    known = {"": None} | {str(token): upload for token, upload in uploads.items()}
    checks = checks_of(uploads.values())
    problems = {str(token): check_error(check) for token, check in checks.items()}
    here = [line for line in wanted if line.sku in products and line.upload in known]
    units = Counter[str]()
    for line in here:
        units[line.sku] += line.quantity
    return PricedCart(
        lines=[
            PricedLine(
                product=(product := products[line.sku]),
                quantity=line.quantity,
                available=max(
                    0,
                    product.available + held.get(product.pk, 0) - units[line.sku] + line.quantity,
                ),
                upload=known[line.upload],
                problem=problems.get(line.upload, ""),
            )
            for line in here
        ],
        gone=[line for line in wanted if line not in here],
    )
