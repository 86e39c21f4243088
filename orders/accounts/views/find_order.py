"""`/orders/find/`: a shopper without an account requests the link to an order."""

from allauth.core.ratelimit import consume, respond_429
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from orders.accounts.forms import FindOrderForm
from orders.accounts.order_link import send_link


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def find_order(request: HttpRequest) -> HttpResponse:
    """Ask for number and e-mail. The answer is the same with and without such an order."""
    form = FindOrderForm(request.POST or None)
    if not form.is_valid():
        return render(
            request,
            "accounts/find_order.html",
            {"form": form},
            status=422 if form.is_bound else 200,
        )
    email = form.cleaned_data["email"]
    if not consume(request, action="find_order", key=email.lower()):
        return respond_429(request)
    send_link(number=form.cleaned_data["number"], email=email, language=get_language() or "en")
    return render(request, "accounts/find_order.html", {"form": form, "asked_for": email})
