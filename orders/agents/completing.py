"""Completing a checkout: its order is placed by `place_order`, like anybody's.

The order's idempotency key is the session's id. So whatever dies after the order is placed, the
next request of this session finds it.
"""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from orders.agents.checkouts import (
    Stage,
    State,
    is_cut_off,
    own_checkout,
    require_open,
    shown,
    state_of,
)
from orders.agents.completed import close
from orders.agents.envelope import Message, error
from orders.agents.errors import ProtocolError
from orders.agents.last_answer import is_as_shown
from orders.agents.negotiation import Session
from orders.agents.order_events import events_endpoint
from orders.agents.payment import MOCK, Handler, handler_of, mock_answer
from orders.agents.placed import placed_order
from orders.agents.schemas.buying import CompletionIn, InstrumentIn
from orders.agents.schemas.fields import read
from orders.agents.versions import CHECKOUT
from orders.agents.wanted import Wanted, buyer, instruments
from orders.lifecycle.payments import capture
from orders.models import AgentCheckout, Order
from orders.placing.errors import (
    DeliveryChanged,
    InvalidOrder,
    KeyReused,
    OrderLimited,
    OutcomeUnknown,
    OutOfStock,
    PlacementError,
    PlacementFailed,
    ShopBusy,
    TotalChanged,
    VoucherRefused,
)
from orders.placing.identity import order_id
from orders.placing.placement import place_order
from orders.placing.request import MAX_NAME_LENGTH, OrderRequest, clean_phone
from orders.vouchers.wording import refusal_in_words

PAID, PERSON = "paid", "person"
TURNS = 5
"""So often a completion reads the session anew that another request changes at the same time."""


class _Overtaken(Exception):
    """Another request has changed the session since this one read it."""


def complete_checkout(session: Session, checkout_id: UUID, payload: Any) -> dict[str, Any]:
    """Place the session's order as the last answer showed it, or say what hinders that.

    A repeat returns the order.
    """
    session.need(CHECKOUT)
    for _turn in range(TURNS):
        with suppress(_Overtaken):
            return _complete(session, own_checkout(session, checkout_id), payload)
    content = "Other requests change this checkout. Nothing was placed: repeat the request."
    raise ProtocolError(503, "busy", content, retry_after=1)


def _complete(session: Session, checkout: AgentCheckout, payload: Any) -> dict[str, Any]:
    """Complete the session as it was read. Raises _Overtaken, Outcome and ProtocolError."""
    if checkout.stage == Stage.COMPLETED:
        return shown(session, checkout)
    sent = read(CompletionIn, payload)
    if (order := placed_order(checkout)) is not None:
        return _finished(session, checkout, order, sent)
    if checkout.stage != Stage.COMPLETING:
        require_open(checkout)
    elif is_cut_off(checkout):
        checkout.stage = Stage.OPEN
    before = checkout.wanted
    checkout.wanted = {
        **before,
        **({} if sent.buyer is None else {"buyer": buyer(sent.buyer)}),
        "instruments": instruments(sent.payment),
        "payer": _payer(sent),
    }
    checkout.escalated = {}
    state = state_of(checkout, session)
    changed = [] if is_as_shown(checkout, state.basket, state.handover.quote) else [_changed()]
    hindrance = _hindrance(state, sent)
    if state.hindrances or hindrance or changed:
        checkout.escalated = _escalation(hindrance)
        _keep(checkout, before=before)
        also = [] if checkout.escalated or hindrance is None else [hindrance]
        return shown(session, checkout, also=[*changed, *also])
    checkout.places = order_id(source=Order.Source.AGENT, user_id=None, key=checkout.pk.hex)
    checkout.events_to = events_endpoint(session.platform)
    checkout.stage = Stage.COMPLETING
    _keep(checkout, before=before)
    return _place(session, checkout, state, sent)


def _place(
    session: Session, checkout: AgentCheckout, state: State, sent: CompletionIn
) -> dict[str, Any]:
    try:
        placement = place_order(_request(session, checkout, state, sent))
    except PlacementError as refusal:
        if isinstance(refusal, KeyReused) and (order := placed_order(checkout)) is not None:
            return _finished(session, checkout, order, sent)  # another request was faster
        if not isinstance(refusal, OutcomeUnknown):
            _open_again(checkout)
        message = _refusal(refusal)  # raises for what is no answer
        return shown(session, checkout, also=[message])
    return _finished(session, checkout, placement.order, sent)


def _finished(
    session: Session, checkout: AgentCheckout, order: Order, sent: CompletionIn
) -> dict[str, Any]:
    """Take the money, if a handler has it, and return the completed session."""
    instrument = _selected(sent)
    if instrument is not None and _is_paid_by_mock(instrument, order):
        capture(
            order_id=order.pk,
            provider=MOCK,
            reference=checkout.pk.hex,
            amount=order.total,
        )
    close(checkout, order)
    return shown(session, checkout)


def _keep(checkout: AgentCheckout, *, before: Wanted) -> None:
    """Write what this request has changed. Raises _Overtaken if another one changed it since.

    What was cancelled or changed meanwhile must not be placed: its request has its answer.
    """
    unchanged = AgentCheckout.objects.filter(
        pk=checkout.pk, stage__in=(Stage.OPEN, Stage.COMPLETING), wanted=before
    )
    won = unchanged.update(
        stage=checkout.stage,
        wanted=checkout.wanted,
        escalated=checkout.escalated,
        places=checkout.places,
        events_to=checkout.events_to,
        changed_at=Now(),
    )
    if not won:
        raise _Overtaken


def _open_again(checkout: AgentCheckout) -> None:
    """Let the session change again: nothing of it was placed."""
    checkout.stage = Stage.OPEN
    completing = AgentCheckout.objects.filter(pk=checkout.pk, stage=Stage.COMPLETING)
    completing.update(stage=Stage.OPEN, changed_at=Now())


def _request(
    session: Session, checkout: AgentCheckout, state: State, sent: CompletionIn
) -> OrderRequest:
    handler = _chosen(state, sent)
    voucher = state.basket.discounts.voucher
    person = checkout.wanted.get("buyer") or {}
    return OrderRequest(
        source=Order.Source.AGENT,
        key=checkout.pk.hex,
        name=state.name[:MAX_NAME_LENGTH],
        email=state.email,
        phone=_phone(person.get("phone_number", "") or state.handover.phone),
        language=_language(),
        address=state.handover.address,
        lines=state.basket.requested,
        delivery=state.handover.chosen,
        payment_method="" if handler is None or handler.id == MOCK else handler.id,
        expected_total=state.basket.total(state.handover.quote),
        voucher=voucher.code if voucher else "",
        counted_address=session.counted_address,
    )


def _hindrance(state: State, sent: CompletionIn) -> Message | None:
    """Return what hinders the payment; None: nothing, or there is nothing to pay."""
    if not state.offered:
        return None
    instrument = _selected(sent)
    if not sent.payment.instruments:
        return error("payment_required", _("Send a payment instrument."), path="$.payment")
    if instrument is None:
        text = _("Choose how it is paid: exactly one instrument has “selected”: true.")
        return error("payment_required", text, path="$.payment.instruments")
    handler = _chosen(state, sent)
    path = f"$.payment.instruments[{sent.payment.instruments.index(instrument)}]"
    if handler is None and any(one.id == instrument.handler_id for one in state.offered):
        text = _("This payment handler takes no instrument of this type.")
        return error("payment_instrument_unknown", text, path=f"{path}.type")
    if handler is None:
        text = _("This checkout offers no such payment handler.")
        return error("payment_handler_unknown", text, path=f"{path}.handler_id")
    answer = "" if handler.id != MOCK else mock_answer(_token(instrument))
    if handler.needs_person or answer == PERSON:
        text = _("The buyer has to confirm the payment on the shop’s own page.")
        return error("requires_3ds", text, path=path, severity="requires_buyer_input")
    if handler.id == MOCK and answer != PAID:
        text = _("The payment was declined. Choose another instrument.")
        return error("payment_failed", text, path=path)
    return None


def _changed() -> Message:
    text = _("Prices, discount or units have changed. Look at lines and totals, then complete.")
    return error("total_changed", text, path="$.totals")


def _escalation(hindrance: Message | None) -> Message:
    """Return the message that stays with the session until the agent changes something."""
    is_for_person = hindrance is not None and hindrance["severity"].startswith("requires_")
    return hindrance if is_for_person and hindrance else {}


def _selected(sent: CompletionIn) -> InstrumentIn | None:
    """Return the instrument that pays: the selected one, or the only one, unless it isn't selected.

    None: none is chosen, or more than one.
    """
    found = sent.payment.instruments
    chosen = [one for one in found if one.selected]
    if not chosen and len(found) == 1 and found[0].selected is None:
        return found[0]
    return chosen[0] if len(chosen) == 1 else None


def _chosen(state: State, sent: CompletionIn) -> Handler | None:
    instrument = _selected(sent)
    return handler_of(instrument.model_dump(), state.offered) if instrument else None


def _token(instrument: InstrumentIn) -> str:
    return instrument.credential.token if instrument.credential else ""


def _is_paid_by_mock(instrument: InstrumentIn, order: Order) -> bool:
    is_mock = instrument.handler_id in (MOCK, "") and instrument.type == "card"
    return bool(order.total) and is_mock and mock_answer(_token(instrument)) == PAID


def _payer(sent: CompletionIn) -> str:
    """Return the name on the instrument, for an order whose buyer has none."""
    instrument = _selected(sent)
    address = instrument.billing_address if instrument else None
    return " ".join(filter(None, (address.first_name, address.last_name))) if address else ""


def _phone(given: str) -> str:
    try:
        return clean_phone(given)
    except InvalidOrder:
        return ""  # nobody is asked for it: an order without a phone is as good


def _language() -> str:
    active = get_language() or ""
    return active if active in dict(settings.LANGUAGES) else "en"


def _refusal(refusal: PlacementError) -> Message:
    """Return the message about an order that wasn't placed. Raises ProtocolError."""
    match refusal:
        case OutOfStock(items):
            names = ", ".join(f"{item.name}: {item.available}" for item in items)
            text = _("There aren’t enough units any more. %(names)s") % {"names": names}
            return error("out_of_stock", text, path="$.line_items")
        case TotalChanged():
            return _changed()
        case DeliveryChanged(reason):
            text = reason or _("The chosen delivery isn’t offered any more. Choose again.")
            return error("fulfillment_option_unavailable", text, path="$.fulfillment")
        case VoucherRefused():
            text = refusal_in_words(refusal)
            return error("discount_code_user_ineligible", text, path="$.discounts.codes")
        case InvalidOrder(errors):
            return error("invalid", " ".join(each.message for each in errors))
        case KeyReused():
            return error("checkout_changed", _("It was completed with other contents."))
        case OrderLimited(_limit, retry_after):
            content = "Too many orders came in a short time. Nothing was placed."
            raise ProtocolError(429, "rate_limited", content, retry_after=retry_after)
        case ShopBusy(retry_after):
            content = "The shop is busy. Nothing was placed: repeat the request."
            raise ProtocolError(503, "busy", content, retry_after=retry_after)
        case OutcomeUnknown():
            content = "The order may be placed. Repeat the request: it is safe, and tells."
            raise ProtocolError(503, "outcome_unknown", content, retry_after=2)
        case PlacementFailed() | _:
            raise ProtocolError(500, "placement_failed", "Nothing was placed.")
