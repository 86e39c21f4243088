"""`/checkout/agent/<id>/` and `/cart/agent/<id>/`: a person goes on where an agent stopped."""

from uuid import UUID

from django.contrib import messages
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from orders.models import AgentCart, AgentCheckout, Order
from orders.placing.identity import order_ids
from orders.shop.handoff import fill_in, take_lines

Stage = AgentCheckout.Stage


@never_cache
@require_safe
def agent_checkout(request: HttpRequest, checkout_id: UUID) -> HttpResponse:
    """Lead to the checkout with the agent's choice, or to the order that it has become."""
    checkout = get_object_or_404(AgentCheckout, pk=checkout_id)
    ids = [
        each
        for source in (Order.Source.AGENT, Order.Source.SHOP)
        for each in order_ids(source=source, user_id=None, key=checkout.pk.hex)
    ]
    placed = checkout.order_id or Order.objects.filter(pk__in=ids).values_list("pk").first()
    if placed:
        return redirect("order", order_id=placed if isinstance(placed, UUID) else placed[0])
    is_open = AgentCheckout.objects.filter(pk=checkout_id, expires_at__gt=Now())
    if not is_open.exclude(stage=Stage.CANCELED).exists():
        return _ended(request)
    return redirect(fill_in(request, checkout))


@never_cache
@require_safe
def agent_cart(request: HttpRequest, cart_id: UUID) -> HttpResponse:
    """Lead to the cart with the agent's choice in it."""
    cart = get_object_or_404(AgentCart, pk=cart_id)
    if cart.canceled_at is not None:
        return _ended(request)
    take_lines(request, cart.wanted)
    return redirect("cart")


def _ended(request: HttpRequest) -> HttpResponse:
    """Lead to the cart, and say that what the assistant began is over."""
    text = _("What your assistant began has ended: it was cancelled, or its time is over.")
    messages.info(request, text)
    return redirect("cart")
