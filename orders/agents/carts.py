"""Carts of agents: create, read, replace, cancel."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.urls import reverse

from orders.agents.basket import Basket, read_basket
from orders.agents.envelope import Message, links, site, ucp, without_nothing
from orders.agents.errors import Outcome
from orders.agents.negotiation import Session
from orders.agents.schemas.buying import CartIn
from orders.agents.schemas.fields import read
from orders.agents.versions import CART, DISCOUNT
from orders.agents.wanted import Wanted, cart_wanted
from orders.models import AgentCart

KEEP = timedelta(days=7)


def create_cart(session: Session, payload: Any, *, cart_id: UUID) -> tuple[int, dict[str, Any]]:
    """Return the new cart; a repeat under the same id returns the first one."""
    session.need(CART)
    wanted = cart_wanted(read(CartIn, payload))
    basket = buyable(wanted)
    cart, _is_new = AgentCart.objects.get_or_create(
        pk=cart_id, defaults={"platform": session.platform, "wanted": without_gone(wanted, basket)}
    )
    return 201, _shown(session, cart, basket)


def get_cart(session: Session, cart_id: UUID) -> dict[str, Any]:
    session.need(CART)
    cart = read_cart(session, cart_id)
    return _shown(session, cart, read_basket(cart.wanted))


def update_cart(session: Session, cart_id: UUID, payload: Any) -> dict[str, Any]:
    """Replace what the cart holds."""
    session.need(CART)
    cart = read_cart(session, cart_id)
    wanted = cart_wanted(read(CartIn, payload), cart.wanted)
    basket = read_basket(wanted)
    cart.wanted = without_gone(wanted, basket)
    open_one = AgentCart.objects.filter(pk=cart.pk, canceled_at=None)
    if not open_one.update(wanted=cart.wanted, changed_at=Now()):
        raise Outcome("not_found", "There is no such cart.")  # cancelled in this moment
    return _shown(session, cart, basket)


def cancel_cart(session: Session, cart_id: UUID) -> dict[str, Any]:
    """Cancel the cart and return it as it was.

    A repeat finds it cancelled by the request that it repeats, whose answer was lost.
    """
    session.need(CART)
    cart = read_cart(session, cart_id, also_canceled=session.is_repeat)
    AgentCart.objects.filter(pk=cart.pk, canceled_at=None).update(
        canceled_at=Now(), changed_at=Now()
    )
    return _shown(session, cart, read_basket(cart.wanted))


def read_cart(session: Session, cart_id: UUID, *, also_canceled: bool = False) -> AgentCart:
    """Return the platform's own cart. Raises Outcome if there is none, or no longer."""
    mine = AgentCart.objects.filter(
        pk=cart_id, platform=session.platform, changed_at__gt=Now() - KEEP
    )
    cart = (mine if also_canceled else mine.filter(canceled_at=None)).first()
    if cart is None:
        raise Outcome("not_found", "There is no such cart.")
    return cart


def buyable(wanted: Wanted) -> Basket:
    """Return the basket. Raises Outcome if nothing that was asked for can be bought."""
    basket = read_basket(wanted)
    if not basket.lines and wanted["lines"]:
        first = basket.messages[0]
        raise Outcome(first["code"], " ".join(each["content"] for each in basket.messages))
    return basket


def without_gone(wanted: Wanted, basket: Basket) -> Wanted:
    """Return what is kept of it: the lines that can be bought, with their quantities."""
    return {**wanted, "lines": [[sku, count] for sku, count in basket.quantities.items()]}


def old_carts() -> QuerySet[AgentCart]:
    return AgentCart.objects.filter(changed_at__lt=Now() - KEEP)


def _shown(session: Session, cart: AgentCart, basket: Basket) -> dict[str, Any]:
    wanted: Wanted = cart.wanted
    messages: list[Message] = basket.messages
    return {
        "ucp": ucp(session.relevant(CART)),
        "id": str(cart.pk),
        "line_items": basket.shown_lines(),
        "currency": settings.SHOP_CURRENCY,
        "totals": basket.shown_totals(),
        "links": links(),
        "continue_url": site(reverse("agent-cart", args=[cart.pk])),
        **({"discounts": basket.discounts.shown} if DISCOUNT in session.active else {}),
        **without_nothing(
            {
                "messages": messages,
                "buyer": wanted.get("buyer"),
                "context": without_nothing(wanted.get("context") or {}),
            }
        ),
    }
