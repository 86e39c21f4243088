"""What changed in a cart since its shopper last looked: told once, in words."""

from collections.abc import Iterator
from decimal import Decimal

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from orders.accounts.carts import tell_merged
from orders.carts.cart import cart_of, requested, row_key
from orders.models import CartLine, Product
from orders.shop.own_hold import own_units
from orders.shop.priced_cart import PricedCart, priced
from project.templatetags.money import money
from project.text import isolate


def current_cart(request: HttpRequest) -> PricedCart:
    """Return the shopper's cart with the prices and the stock of now.

    Messages say which prices changed and what can't be ordered any more, which leaves the cart. A
    look without a change writes nothing.
    """
    cart = cart_of(request)
    tell_merged(request, cart.take_over_guest_cart())
    rows = cart.rows
    now = priced([requested(row) for row in rows], held=own_units(request.session))
    here = {(line.product.sku, line.token): line.product for line in now.lines}
    gone = [row for row in rows if row_key(row) not in here]
    changed = {
        row.pk: here[row_key(row)].price
        for row in rows
        if row_key(row) in here and here[row_key(row)].price != row.seen_price
    }
    told = [*_gone(gone), *_repriced([row for row in rows if row.pk in changed], changed)]
    for text in dict.fromkeys(told):
        messages.warning(request, text)
    if gone or changed:
        cart.note_seen(changed, gone=[row.pk for row in gone])
    return now


def _gone(rows: list[CartLine]) -> Iterator[str]:
    if not rows:
        return
    products = Product.objects.in_bulk([row.sku for row in rows], field_name="sku")
    for row in rows:
        product = products.get(row.sku)
        text = _("“%(name)s” is no longer on sale and was taken out of your cart.")
        if product is not None and product.is_active:
            text = _("Your file for “%(name)s” has expired. Please choose it again.")
        yield text % {"name": isolate(product.name if product else row.seen_name)}


def _repriced(rows: list[CartLine], prices: dict[int, Decimal]) -> Iterator[str]:
    for row in rows:
        if row.seen_price is not None:
            yield _("The price of “%(name)s” went from %(old)s to %(new)s.") % {
                "name": isolate(row.seen_name),
                "old": money(row.seen_price, settings.SHOP_CURRENCY),
                "new": money(prices[row.pk], settings.SHOP_CURRENCY),
            }
