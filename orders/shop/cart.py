"""The cart: SKUs and quantities in the session. Each page that shows the cart prices it again.

A personalised product has a separate line for each upload.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid4

from django.contrib.sessions.backends.base import SessionBase

from orders.catalogue.browsing import products_on_sale
from orders.models import Product, Upload
from orders.placing.request import MAX_LINES, MAX_QUANTITY, RequestedLine
from orders.placing.upload_checks import check_error, checks_of
from orders.shop.lines import line_text

_CART = "cart"
_UPLOADS = "cart_uploads"
_CHECKOUT_KEY = "checkout_key"


class CartFullError(Exception):
    """The cart has as many lines as an order may have."""


class Cart:
    """The session's cart. A session is written only when its cart changes."""

    def __init__(self, session: SessionBase) -> None:
        self._session = session

    @property
    def quantities(self) -> dict[str, int]:
        """Return the units by SKU, in the order in which the products were added."""
        return dict(self._session.get(_CART, {}))

    @property
    def personalised(self) -> dict[str, tuple[str, int]]:
        """Return SKU and units by upload, in the order in which the uploads were added."""
        kept = self._session.get(_UPLOADS, {})
        return {token: (sku, units) for token, (sku, units) in kept.items()}

    @property
    def lines(self) -> list[RequestedLine]:
        plain = [RequestedLine(sku, quantity) for sku, quantity in self.quantities.items()]
        return plain + [
            RequestedLine(sku, quantity, token)
            for token, (sku, quantity) in self.personalised.items()
        ]

    @property
    def units(self) -> int:
        return sum(line.quantity for line in self.lines)

    def add(self, sku: str, quantity: int, upload: str = "") -> None:
        """Add units, up to the limit of an order per product. Raises CartFullError."""
        quantities, personalised = self.quantities, self.personalised
        is_new = upload not in personalised if upload else sku not in quantities
        if is_new and len(quantities) + len(personalised) >= MAX_LINES:
            raise CartFullError
        if upload:
            _sku, before = personalised.get(upload, (sku, 0))
            personalised[upload] = (sku, min(before + quantity, MAX_QUANTITY))
            self._session[_UPLOADS] = personalised
            return
        quantities[sku] = min(quantities.get(sku, 0) + quantity, MAX_QUANTITY)
        self._session[_CART] = quantities

    def set(self, sku: str, quantity: int, upload: str = "") -> None:
        """Set the quantity of a line in the cart; below one the line is removed."""
        if upload:
            self._set_personalised(sku, quantity, upload)
            return
        quantities = self.quantities
        if sku not in quantities:
            return
        if quantity < 1:
            del quantities[sku]
        else:
            quantities[sku] = min(quantity, MAX_QUANTITY)
        self._session[_CART] = quantities

    def _set_personalised(self, sku: str, quantity: int, upload: str) -> None:
        personalised = self.personalised
        if upload not in personalised:
            return
        if quantity < 1:
            del personalised[upload]
        else:
            personalised[upload] = (sku, min(quantity, MAX_QUANTITY))
        self._session[_UPLOADS] = personalised

    def checkout_key(self) -> str:
        """Return the idempotency key of this cart's order: one key in all tabs, until placed."""
        if _CHECKOUT_KEY not in self._session:
            self._session[_CHECKOUT_KEY] = uuid4().hex
        return str(self._session[_CHECKOUT_KEY])

    def remove_ordered(self, key: str, ordered: Iterable[RequestedLine]) -> None:
        """Remove the lines that were ordered under the key, once per key.

        A form that is sent again from the browser's history must not empty a newer cart.
        """
        if self._session.get(_CHECKOUT_KEY) != key:
            return
        del self._session[_CHECKOUT_KEY]
        for line in ordered:
            _sku, units = self.personalised.get(line.upload, ("", 0))
            here = units if line.upload else self.quantities.get(line.sku, 0)
            self.set(line.sku, here - line.quantity, line.upload)


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
    def units(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def is_short(self) -> bool:
        return any(line.is_short for line in self.lines)


def priced(wanted: Sequence[RequestedLine]) -> PricedCart:
    """Return the lines with current names, prices and stock, and their uploads."""
    if not wanted:
        return PricedCart([], [])
    skus = {line.sku for line in wanted}
    products = {product.sku: product for product in products_on_sale().filter(sku__in=skus)}
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
                available=max(0, product.available - units[line.sku] + line.quantity),
                upload=known[line.upload],
                problem=problems.get(line.upload, ""),
            )
            for line in here
        ],
        gone=[line for line in wanted if line not in here],
    )
