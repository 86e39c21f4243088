"""The context processor of all pages: the shop's name and the number of units in the cart."""

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest

from orders.carts.cart import cart_of


def shop(request: HttpRequest) -> dict[str, object]:
    """Return every page's template variables. Only a page that shows the cart reads the session."""
    mark = getattr(request, "form_mark", "")  # of a page that is kept: see orders.shop.kept_pages
    return {
        **({"csrf_token": mark} if mark else {}),
        "shop_name": settings.SHOP_NAME,
        "currency": settings.SHOP_CURRENCY,
        "is_local": settings.TANDEM_LOCAL,
        "is_signed_in": lambda: SESSION_KEY in request.session,  # without a query for the user
        "cart_units": lambda: cart_of(request).units,
    }
