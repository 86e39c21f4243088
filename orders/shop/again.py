"""Ordering again: an order's lines into the cart, as far as they are sold today."""

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from orders.carts.cart import CartFullError, ShopperCart
from orders.catalogue.browsing import products_on_sale
from orders.models import Order, OrderLine, Product
from project.text import isolate


def order_again(
    order: Order, cart: ShopperCart, *, held: Mapping[int, int]
) -> tuple[int, list[str]]:
    """Put the order's lines into the cart; return how many came, and what is missing in sentences.

    A product that is in the cart already has the larger of both quantities, so a double click
    orders nothing twice. `held`: the units by product that are set aside for the shopper.
    """
    lines = list(order.lines.all())
    known = products_on_sale().filter(pk__in=[line.product_id for line in lines])
    products = {product.pk: product for product in known}
    here = {line.sku: line.quantity for line in cart.lines if not line.upload}
    came, missing = 0, list[str]()
    for line in lines:
        product = products.get(line.product_id)
        available = product.available + held.get(product.pk, 0) if product else 0
        quantity = min(line.quantity, available)
        missing += _missing(line, product, quantity)
        if product is None or product.requires_upload or quantity < 1:
            continue
        more = quantity - here.get(product.sku, 0)
        try:
            if more > 0:
                cart.add(product, more)
        except CartFullError:
            missing.append(_("The cart is full: the rest didn't fit in."))
            break
        came += 1
    return came, missing


def _missing(line: OrderLine, product: Product | None, quantity: int) -> Iterator[str]:
    name = {"name": isolate(product.name if product else line.name)}
    if product is None:
        yield _("“%(name)s” is no longer on sale.") % name
    elif product.requires_upload:
        yield _("“%(name)s” needs your file again: add it on its page.") % name
    elif quantity < 1:
        yield _("“%(name)s” is sold out.") % name
    elif quantity < line.quantity:
        yield _("There isn't enough of “%(name)s”: the cart has what is left.") % name
