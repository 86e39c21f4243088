"""Checkout sessions of agents: create, update, cancel, and what they answer.

`completing` places their order. A session is reckoned anew for each answer, from what the agent
wants: so its prices are those of the shop now.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext as _

from orders.agents.basket import Basket, read_basket
from orders.agents.carts import buyable, read_cart, without_gone
from orders.agents.completed import close
from orders.agents.envelope import Message, error, links, site, ucp, warning, without_nothing
from orders.agents.errors import InvalidInput, Outcome
from orders.agents.fulfillment import Handover, handover_of
from orders.agents.last_answer import keep_shown
from orders.agents.negotiation import Session
from orders.agents.payment import Handler, declared_handlers, handlers
from orders.agents.placed import placed_order
from orders.agents.schemas.buying import CheckoutIn
from orders.agents.schemas.fields import read
from orders.agents.versions import CHECKOUT, DISCOUNT, FULFILLMENT
from orders.agents.wanted import Wanted, checkout_wanted
from orders.models import AgentCheckout
from orders.placing.errors import InvalidOrder
from orders.placing.request import clean_email
from project.database.clock import database_now

LIVES = timedelta(hours=6)
KEEP = timedelta(days=30)
"""Sessions without an order are kept for so long."""
KEEP_ORDERED = timedelta(days=400)
"""Those with an order: its platform reads the order by them, and hears of its return."""
Stage = AgentCheckout.Stage
ABANDONED = timedelta(minutes=1)
"""A completion that has neither order nor answer after so long was cut off."""


@dataclass(frozen=True)
class State:
    """An open session as it would be ordered now."""

    basket: Basket
    handover: Handover
    email: str
    name: str
    messages: list[Message]

    @property
    def is_picked_up(self) -> bool:
        return not self.handover.address

    @property
    def needs_person(self) -> bool:
        return any(each.get("severity", "").startswith("requires_") for each in self.messages)

    @property
    def hindrances(self) -> list[Message]:
        return [each for each in self.messages if each["type"] == "error"]

    @property
    def offered(self) -> list[Handler]:
        if not self.basket.total(self.handover.quote):
            return []
        return handlers(is_picked_up=self.is_picked_up, needs_person=self.basket.needs_upload)

    @property
    def status(self) -> str:
        if self.needs_person:
            return "requires_escalation"
        return "incomplete" if self.hindrances else "ready_for_complete"


def create_checkout(
    session: Session, payload: Any, *, checkout_id: UUID
) -> tuple[int, dict[str, Any]]:
    """Return the new session; a cart's open one, if it has one (cart, Idempotent conversion)."""
    session.need(CHECKOUT)
    sent = read(CheckoutIn, payload)
    if sent.cart_id:
        return _of_cart(session, sent, checkout_id)
    if not sent.line_items:
        raise InvalidInput("Send line_items.", path="$.line_items")
    wanted = checkout_wanted(sent)
    basket = buyable(wanted)
    checkout = _made(session, checkout_id, without_gone(wanted, basket))
    return 201, shown(session, checkout, basket=basket)


def update_checkout(session: Session, checkout_id: UUID, payload: Any) -> dict[str, Any]:
    """Replace what the session is for. Raises Outcome once it is over."""
    session.need(CHECKOUT)
    checkout = read_checkout(session, checkout_id)
    require_open(checkout)
    wanted = checkout_wanted(read(CheckoutIn, payload), checkout.wanted)
    basket = read_basket(wanted)
    checkout.wanted, checkout.escalated = without_gone(wanted, basket), {}
    won = AgentCheckout.objects.filter(pk=checkout.pk, stage=Stage.OPEN).update(
        wanted=checkout.wanted, escalated={}, changed_at=Now()
    )
    if not won:
        raise _over("It is being completed.")
    return shown(session, checkout, basket=basket)


def cancel_checkout(session: Session, checkout_id: UUID) -> dict[str, Any]:
    """Cancel the session. Raises Outcome for one that is completed or cancelled.

    A repeat finds it cancelled by the request that it repeats, whose answer was lost.
    """
    session.need(CHECKOUT)
    checkout = read_checkout(session, checkout_id)
    if checkout.stage == Stage.CANCELED and session.is_repeat:
        return shown(session, checkout)
    require_open(checkout)
    won = AgentCheckout.objects.filter(pk=checkout.pk, stage=Stage.OPEN).update(
        stage=Stage.CANCELED, changed_at=Now()
    )
    if not won:
        raise _over("It is being completed.")
    checkout.stage = Stage.CANCELED
    return shown(session, checkout)


def get_checkout(session: Session, checkout_id: UUID) -> dict[str, Any]:
    session.need(CHECKOUT)
    return shown(session, read_checkout(session, checkout_id))


def read_checkout(session: Session, checkout_id: UUID) -> AgentCheckout:
    """Return the platform's own session, completed if its order exists. Raises Outcome.

    A person may have placed it, or a completion that was cut off: whatever is asked of the session
    then, it has an order.
    """
    return _closed_if_placed(own_checkout(session, checkout_id))


def own_checkout(session: Session, checkout_id: UUID) -> AgentCheckout:
    """Return the platform's own session as its row says. Raises Outcome if there is none."""
    mine = AgentCheckout.objects.filter(pk=checkout_id, platform=session.platform)
    checkout = mine.first()
    if checkout is None:
        raise Outcome("not_found", "There is no such checkout.")
    if checkout.stage == Stage.OPEN and checkout.expires_at <= database_now():
        checkout.stage = Stage.CANCELED  # its time is over
    return checkout


def require_open(checkout: AgentCheckout) -> None:
    """Raise Outcome unless the session may still change."""
    if checkout.stage == Stage.COMPLETED:
        raise _over("It is completed, and doesn't change any more.")
    if checkout.stage == Stage.CANCELED:
        raise _over("It is cancelled.")
    if checkout.stage == Stage.COMPLETING:
        cut_off = AgentCheckout.objects.filter(
            pk=checkout.pk, stage=Stage.COMPLETING, changed_at__lte=Now() - ABANDONED
        )
        if not cut_off.update(stage=Stage.OPEN):
            raise _over("It is being completed.")
        checkout.stage = Stage.OPEN


def is_cut_off(checkout: AgentCheckout) -> bool:
    """Tell whether nobody is working on the completion any more."""
    is_old = checkout.changed_at <= database_now() - ABANDONED
    return checkout.stage == Stage.COMPLETING and is_old


def state_of(checkout: AgentCheckout, session: Session, basket: Basket | None = None) -> State:
    """Return the session as it would be ordered now."""
    wanted: Wanted = checkout.wanted
    basket = basket or read_basket(wanted)
    handover = handover_of(wanted, basket, counted_address=session.counted_address)
    buyer = wanted.get("buyer") or {}
    given = " ".join(filter(None, (buyer.get("first_name"), buyer.get("last_name"))))
    email, messages = _email(buyer.get("email", ""), session)
    messages = [*basket.messages, *handover.messages, *messages, *_claims(wanted)]
    if not basket.lines:
        text = _("Nothing of it can be bought now.")
        messages.append(error("field_required", text, path="$.line_items"))
    if basket.needs_upload:
        text = _("It is made with a picture or video of the buyer, who adds it in the shop.")
        messages.append(error("upload_required", text, severity="requires_buyer_input"))
    if checkout.escalated:
        messages.append(checkout.escalated)
    name = given or handover.name or wanted.get("payer", "") or email.partition("@")[0]
    return State(basket, handover, email, name, messages)


def shown(
    session: Session,
    checkout: AgentCheckout,
    *,
    basket: Basket | None = None,
    also: list[Message] | None = None,
    status: str = "",
) -> dict[str, Any]:
    """Return the session as an answer has it, with messages about this request.

    Its lines and totals are kept: they are those that a completion places.
    """
    if checkout.stage == Stage.COMPLETED:
        return {**checkout.answer, "ucp": ucp(session.relevant(CHECKOUT), payment_handlers={})}
    state = state_of(checkout, session, basket)
    wanted: Wanted = checkout.wanted
    over = {Stage.CANCELED: "canceled", Stage.COMPLETING: "complete_in_progress"}
    status = over.get(Stage(checkout.stage), status or state.status)
    quote, address = state.handover.quote, state.handover.address
    told = {each["code"] for each in state.hindrances}
    more = [each for each in also or () if each["code"] not in told]
    messages = [] if status == "canceled" else [*state.messages, *more]
    if checkout.stage != Stage.CANCELED:
        keep_shown(checkout, state.basket, quote, messages)
    return {
        "ucp": ucp(session.relevant(CHECKOUT), payment_handlers=declared_handlers(state.offered)),
        "id": str(checkout.pk),
        "status": status,
        "line_items": state.basket.shown_lines(),
        "currency": settings.SHOP_CURRENCY,
        "totals": state.basket.shown_totals(quote, address),
        "links": links(),
        "expires_at": checkout.expires_at.isoformat(),
        "payment": {"instruments": wanted.get("instruments", [])},
        **({"discounts": state.basket.discounts.shown} if DISCOUNT in session.active else {}),
        **({"fulfillment": state.handover.shown} if FULFILLMENT in session.active else {}),
        **({} if status == "canceled" else {"continue_url": continue_url(checkout)}),
        **without_nothing(
            {
                "messages": messages,
                "buyer": wanted.get("buyer"),
                "context": without_nothing(wanted.get("context") or {}),
                "cart_id": str(checkout.cart_id or ""),
            }
        ),
    }


def continue_url(checkout: AgentCheckout) -> str:
    return site(reverse("agent-checkout", args=[checkout.pk]))


def old_checkouts() -> QuerySet[AgentCheckout]:
    """Return the sessions without an order whose time is over."""
    return AgentCheckout.objects.filter(order_id=None, changed_at__lt=Now() - KEEP)


def old_orders_checkouts() -> QuerySet[AgentCheckout]:
    """Return the sessions of orders that are so old that their platforms hear no more of them."""
    return AgentCheckout.objects.filter(changed_at__lt=Now() - KEEP_ORDERED)


def _of_cart(session: Session, sent: CheckoutIn, checkout_id: UUID) -> tuple[int, dict[str, Any]]:
    """Return a session for the cart, with its lines, buyer, context and codes."""
    try:
        cart = read_cart(session, UUID(sent.cart_id))
    except ValueError:
        raise Outcome("not_found", "There is no such cart.") from None
    # Time ends an open one only: of one that is being completed there may be an order.
    in_time = Q(stage=Stage.OPEN, expires_at__gt=Now()) | Q(stage=Stage.COMPLETING)
    is_live = AgentCheckout.objects.filter(in_time, cart=cart)
    if checkout := is_live.first():
        return 200, shown(session, _closed_if_placed(checkout))
    AgentCheckout.objects.filter(cart=cart, stage=Stage.OPEN).update(stage=Stage.CANCELED)
    wanted = {**checkout_wanted(sent), **cart.wanted}
    basket = buyable(wanted)
    try:
        checkout = _made(session, checkout_id, without_gone(wanted, basket), cart_id=cart.pk)
    except IntegrityError:  # another request was faster: it is the cart's session
        return 200, shown(session, is_live.get())
    return 201, shown(session, checkout, basket=basket)


def _closed_if_placed(checkout: AgentCheckout) -> AgentCheckout:
    if checkout.stage != Stage.COMPLETED and (order := placed_order(checkout)) is not None:
        close(checkout, order)
    return checkout


def _made(
    session: Session, checkout_id: UUID, wanted: Wanted, *, cart_id: UUID | None = None
) -> AgentCheckout:
    made = {"platform": session.platform, "wanted": wanted, "cart_id": cart_id}
    made["expires_at"] = database_now() + LIVES
    checkout, _is_new = AgentCheckout.objects.get_or_create(pk=checkout_id, defaults=made)
    return checkout


def _email(given: str, session: Session) -> tuple[str, list[Message]]:
    """Return the address to which the order's messages go, or why there is none."""
    if not given:
        if session.platform.contact_email:
            return session.platform.contact_email, []
        text = _("Send the address to which the confirmation goes.")
        return "", [error("field_required", text, path="$.buyer.email")]
    try:
        return clean_email(given), []
    except InvalidOrder as invalid:
        text = " ".join(each.message for each in invalid.errors)
        return "", [error("invalid_email", text, path="$.buyer.email")]


def _claims(wanted: Wanted) -> list[Message]:
    """Return a warning about each claim: the shop gives no benefits for what is only said."""
    claims = (wanted.get("context") or {}).get("eligibility") or []
    return [
        warning(
            "eligibility_not_accepted",
            _("The shop has no benefit for %(claim)s.") % {"claim": claim},
            path=f"$.context.eligibility[{place}]",
        )
        for place, claim in enumerate(claims)
    ]


def _over(why: str) -> Outcome:
    return Outcome("checkout_not_modifiable", why, status=409)
