"""What every page shows: the shop's name and how full the cart is."""

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest

from orders.shop.cart import Cart


def shop(request: HttpRequest) -> dict[str, object]:
    """Template variables for every page; the cart is read where a page shows it, and only there."""
    return {
        "shop_name": settings.SHOP_NAME,
        "currency": settings.SHOP_CURRENCY,
        "is_local": settings.TANDEM_LOCAL,
        "is_signed_in": lambda: SESSION_KEY in request.session,  # without asking for the user
        "cart_units": lambda: Cart(request.session).units,
    }
