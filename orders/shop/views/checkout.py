"""`/checkout/`: from the cart to an order, by one call of `place_order`.

The form has the lines and the total that the shopper confirms, and an idempotency key. So a double
click, a reload or a form from the browser's history repeats the same request, even if the
session's cart has changed.
"""

import math
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from orders.accounts.addresses import checkout_defaults
from orders.placing.errors import (
    InvalidOrder,
    KeyReused,
    OrderLimited,
    OutcomeUnknown,
    OutOfStock,
    PlacementFailed,
    ShopBusy,
    TotalChanged,
)
from orders.placing.placement import place_order
from orders.shop.cart import Cart
from orders.shop.forms import CheckoutForm
from orders.shop.lines import read_line
from orders.shop.views.cart import current
from project.limits.client_address import counted_address


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    """Show the checkout form; a POST places the order and redirects to its page."""
    if request.method != "POST":
        return _page(request, CheckoutForm(initial=checkout_defaults(request.user)))
    if "adjust" in request.POST:
        return _adjust(request)
    form = CheckoutForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    return _place(request, form)


def _place(request: HttpRequest, form: CheckoutForm) -> HttpResponse:
    """Place the order, and answer with a redirect or with the error in the shopper's words."""
    wanted = form.order_request(
        language=get_language() or "en",
        user_id=request.user.pk,
        counted_address=counted_address(request),
        session_key=request.session.session_key or "",
    )
    try:
        placement = place_order(wanted)
    except KeyReused as error:
        messages.info(
            request,
            _("You placed this order already. What is in your cart now is not part of it."),
        )
        return redirect("order", order_id=error.order_id)
    except InvalidOrder as error:
        return _refuse_invalid(request, form, error)
    except OutOfStock as error:
        return _page(request, form, status=409, shortages=error.items)
    except TotalChanged as error:
        return _page(request, form, status=409, new_total=error.total)
    except OrderLimited as error:
        minutes = math.ceil(error.retry_after / 60)
        response = _page(request, form, status=429, limited=error.limit, wait_minutes=minutes)
        response["Retry-After"] = str(error.retry_after)
        return response
    except ShopBusy as error:
        response = _page(request, form, status=503, is_busy=True)
        response["Retry-After"] = str(error.retry_after)
        return response
    except OutcomeUnknown as error:
        return _page(request, form, status=503, unknown_order=error.order_id)
    except PlacementFailed:
        return _page(request, form, status=500, has_failed=True)
    Cart(request.session).remove_ordered(wanted.key, wanted.lines)
    return redirect("order", order_id=placement.order.pk)


def _refuse_invalid(
    request: HttpRequest, form: CheckoutForm, invalid: InvalidOrder
) -> HttpResponse:
    """Show the errors of `place_order`, at their fields if the form has them."""
    for error in invalid.errors:
        name = error.field.removeprefix("address.")
        form.add_error(name if name in form.fields else None, error.message)
    return _page(request, form, status=422)


def _adjust(request: HttpRequest) -> HttpResponse:
    """Change the cart from the checkout ("2 left: set to 2"); the form keeps its values."""
    if line := read_line(request.POST["adjust"]):
        Cart(request.session).set(line.sku, line.quantity, line.upload)
    typed = {name: request.POST.get(name, "") for name in CheckoutForm.typed_fields()}
    return _page(request, CheckoutForm(initial=typed))


def _page(
    request: HttpRequest, form: CheckoutForm, *, status: int = 200, **answer: Any
) -> HttpResponse:
    """Show the form beside the current cart; `answer` describes the last attempt's error.

    The form keeps its key, so another attempt is a repeat and never a second order.
    """
    cart = current(request)
    if not cart.lines:
        return redirect("cart")
    kept_key = form.cleaned_data.get("key") if form.is_bound else None
    context = {
        "form": form,
        "cart": cart,
        "key": kept_key or Cart(request.session).checkout_key(),
        **answer,
    }
    return render(request, "shop/checkout.html", context, status=status)
