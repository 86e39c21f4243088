"""`/checkout/`: from the cart to an order, by one call of `place_order`.

The form carries what the shopper confirms: the lines, the total, and an idempotency key. So a
double click, a reload or a form sent again from the history is the same request, whatever the
session's cart holds by then.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from orders.accounts.addresses import known_of
from orders.placing.errors import (
    InvalidOrder,
    KeyReused,
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


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    """Ask for what an order needs; a POST places it and leads to its page."""
    if request.method != "POST":
        return _page(request, CheckoutForm(initial=known_of(request.user)))
    if "adjust" in request.POST:
        return _adjust(request)
    form = CheckoutForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    return _place(request, form)


def _place(request: HttpRequest, form: CheckoutForm) -> HttpResponse:
    """Place the order, and say in the shopper's words how that went."""
    wanted = form.order_request(language=get_language() or "en", user_id=request.user.pk)
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
    except ShopBusy as error:
        response = _page(request, form, status=503, is_busy=True)
        response["Retry-After"] = str(error.retry_after)
        return response
    except OutcomeUnknown as error:
        return _page(request, form, status=503, unknown_order=error.order_id)
    except PlacementFailed:
        return _page(request, form, status=500, has_failed=True)
    Cart(request.session).take_out_ordered(wanted.key, wanted.lines)
    return redirect("order", order_id=placement.order.pk)


def _refuse_invalid(
    request: HttpRequest, form: CheckoutForm, invalid: InvalidOrder
) -> HttpResponse:
    """Show errors that only `place_order` could see, at their fields where there are any."""
    for error in invalid.errors:
        name = error.field.removeprefix("address.")
        form.add_error(name if name in form.fields else None, error.message)
    return _page(request, form, status=422)


def _adjust(request: HttpRequest) -> HttpResponse:
    """Change the cart from the checkout ("2 left: set to 2") and keep what was typed."""
    if line := read_line(request.POST["adjust"]):
        Cart(request.session).set(line.sku, line.quantity, line.upload)
    typed = {name: request.POST.get(name, "") for name in CheckoutForm.typed_fields()}
    return _page(request, CheckoutForm(initial=typed))


def _page(
    request: HttpRequest, form: CheckoutForm, *, status: int = 200, **answer: Any
) -> HttpResponse:
    """Show the form beside the cart as it is now; `answer` is what the last attempt met.

    A form that comes back keeps its key: trying again is the same order, not a second one.
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
