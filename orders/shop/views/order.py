"""`/orders/<id>/`: an order with the live progress of its jobs. The id is the access right."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_POST, require_safe

from notifications.delivery.known_numbers import know
from orders.carts.cart import cart_of
from orders.lifecycle.errors import TransitionError, UnknownOrder
from orders.lifecycle.payouts import refunded_so_far
from orders.lifecycle.steps import BEFORE_PACKING
from orders.lifecycle.timeline import read_timeline
from orders.lifecycle.transitions import cancel
from orders.models import Order, User
from orders.papers.reading import invoices_of
from orders.placing.mail_mark import is_mail_mark
from orders.shop.again import order_again
from orders.shop.own_hold import own_units
from orders.shop.progress import pass_pictures, read_progress, version_of
from orders.shop.returns import ReturnForm, read_returns
from orders.taxes.splitting import order_taxes


@never_cache
@require_safe
def order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Show the order, its lines, its timeline and the progress of its jobs.

    A link of the order's e-mail tells that its shopper got the e-mail: the phone number is known.
    """
    mark = request.GET.get("mail", "")
    if mark and is_mail_mark(order_id, mark):
        _know_phone(order_id)
    return order_page(request, order_id)


def order_page(
    request: HttpRequest,
    order_id: UUID,
    *,
    return_form: ReturnForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """Show the order's page, with a form for a return that was sent and refused, if any."""
    progress = read_progress(order_id, now=timezone.now())
    lines = list(progress.order.lines.all())
    context = {
        "order": progress.order,
        "progress": progress,
        "lines": lines,
        "taxes": order_taxes(progress.order, lines),
        "timeline": read_timeline(progress.order),
        "is_cancelled_or_refunded": progress.is_cancelled_or_refunded,
        "may_cancel": progress.order.status in BEFORE_PACKING,
        "given_back": refunded_so_far(progress.order),
        "invoices": invoices_of(progress.order),
        "returns": read_returns(progress.order, today=timezone.localdate(), form=return_form),
    }
    return render(request, "shop/order.html", context, status=status)


def _know_phone(order_id: UUID) -> None:
    """Keep the order's phone number as known. The order may have none."""
    phone = Order.objects.filter(pk=order_id).values_list("phone", flat=True).first()
    if phone:
        know(phone, order_id=order_id)


@never_cache
@require_POST
def cancel_order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Cancel the order if it isn't packed yet, and redirect to its page."""
    user = request.user if isinstance(request.user, User) else None
    try:
        cancel(order_id=order_id, by_shopper=True, user=user)
    except UnknownOrder:
        raise Http404 from None
    except TransitionError as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, _("Your order is cancelled."))
    return redirect("order", order_id=order_id)


@never_cache
@require_POST
def again(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Put the order's lines into the cart, as far as they are sold today, and show the cart."""
    placed = get_object_or_404(Order, pk=order_id)
    came, missing = order_again(placed, cart_of(request), held=own_units(request.session))
    if came:
        messages.success(request, _("Your order's items are in the cart."))
    for sentence in missing:
        messages.warning(request, sentence)
    return redirect("cart")


@cache_control(private=True, no_cache=True)
@require_safe
def progress(request: HttpRequest, order_id: UUID) -> HttpResponseBase:
    """Answer the page's polling: the progress as HTML; 304 for the version in `If-None-Match`.

    A page that shows the newest version got its answer before (`orders.shop.polls`).
    """
    now = timezone.now()
    version = version_of(order_id, now=now)
    etag = f'"{version}-{get_language()}"'
    if unchanged := get_conditional_response(request, etag=etag):
        return unchanged
    progress = read_progress(order_id, now=now)
    context = {"order": progress.order, "progress": progress, "is_update": True}
    response = render(request, "shop/_progress.html", context)
    response["ETag"] = etag
    return response


@never_cache
@require_safe
def pickup_pass(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Redirect to the pickup pass as PNG, or to the order's page until the pass is drawn."""
    png = pass_pictures(get_object_or_404(Order, pk=order_id)).get("png")
    return redirect(png.file.url if png else reverse("order", args=[order_id]) + "#pickup-pass")
