"""`/checkout/agent/<id>/` and `/cart/agent/<id>/`: a person goes on where an agent stopped."""

from uuid import UUID

from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
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
    checkout = AgentCheckout.objects.filter(pk=checkout_id).exclude(stage=Stage.CANCELED).first()
    if checkout is None:
        raise Http404
    ids = [
        each
        for source in (Order.Source.AGENT, Order.Source.SHOP)
        for each in order_ids(source=source, user_id=None, key=checkout.pk.hex)
    ]
    placed = checkout.order_id or Order.objects.filter(pk__in=ids).values_list("pk").first()
    if placed:
        return redirect("order", order_id=placed if isinstance(placed, UUID) else placed[0])
    if not AgentCheckout.objects.filter(pk=checkout_id, expires_at__gt=Now()).exists():
        raise Http404
    return redirect(fill_in(request, checkout))


@never_cache
@require_safe
def agent_cart(request: HttpRequest, cart_id: UUID) -> HttpResponse:
    """Lead to the cart with the agent's choice in it."""
    cart = AgentCart.objects.filter(pk=cart_id, canceled_at=None).first()
    if cart is None:
        raise Http404
    take_lines(request, cart.wanted)
    return redirect("cart")
