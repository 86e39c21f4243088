"""`POST orders/<id or number>/<step>`: what operators do with an order, done by an API client.

Each is a service of `orders.lifecycle`, under an `Idempotency-Key` (`orders.clients.answers`).
"""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Header
from ninja.responses import NinjaJSONEncoder
from pydantic import BaseModel

from orders.api.client_access import ClientKey, access_of
from orders.api.client_orders import Reference, find_order, seen_orders
from orders.api.orders import router
from orders.api.problems import Problem, invalid_problem
from orders.api.schemas.clients import ClientOrderOut
from orders.api.schemas.fields import IdempotencyKey
from orders.api.schemas.order_steps import CancelIn, PayIn, RefundIn, ShipIn
from orders.api.schemas.problems import InvalidOut, ProblemOut, StepRefusedOut
from orders.api.strict_json import StrictParser
from orders.clients.answers import Claim, ClientKeyReusedError, answer_once, fingerprint_of
from orders.clients.keys import Access
from orders.clients.scopes import CUSTOMERS_READ, ORDERS_WRITE
from orders.lifecycle import transitions
from orders.lifecycle.errors import (
    DoneDifferently,
    InvalidTransition,
    OrderBusy,
    TransitionError,
    UnknownOrder,
    WrongStatus,
)
from orders.models import Order, User

Key = Annotated[IdempotencyKey, Header(alias="Idempotency-Key")]
_TEXT = {"schema": {"type": "string"}}
_OPTIONS: dict[str, Any] = {
    "response": {
        200: ClientOrderOut,
        (400, 404, 413, 415, 500, 503): ProblemOut,
        409: StepRefusedOut,
        422: InvalidOut,
    },
    "auth": ClientKey(ORDERS_WRITE),
    "openapi_extra": {
        "responses": {
            200: {"headers": {"Idempotent-Replayed": _TEXT}},
            503: {"headers": {"Retry-After": _TEXT}},
        }
    },
}


@router.post("/orders/{order}/pay", summary="Enter a payment", **_OPTIONS)
def pay_order(request: HttpRequest, order: Reference, step: PayIn, key: Key) -> HttpResponse:
    """The order is paid when its payments are its total. More than what is due is refused."""

    def take(found: Order, user: User, _claim: Claim) -> Order:
        return transitions.pay(
            order_id=found.pk,
            method=step.method,
            reference=step.reference,
            amount=Decimal(step.amount),
            user=user,
        )

    return _answer(request, order, "pay", step, key, take)


@router.post("/orders/{order}/pack", summary="Mark as packed", **_OPTIONS)
def pack_order(request: HttpRequest, order: Reference, key: Key) -> HttpResponse:
    """Of a paid order, or of one that is paid at pick-up. Its customer can't cancel it any more."""

    def take(found: Order, user: User, _claim: Claim) -> Order:
        return transitions.pack(order_id=found.pk, user=user)

    return _answer(request, order, "pack", None, key, take)


@router.post("/orders/{order}/ship", summary="Mark as shipped", **_OPTIONS)
def ship_order(request: HttpRequest, order: Reference, step: ShipIn, key: Key) -> HttpResponse:
    """Of a packed order. The customer is told the carrier and the tracking number."""

    def take(found: Order, user: User, _claim: Claim) -> Order:
        return transitions.ship(
            order_id=found.pk,
            carrier=step.carrier,
            tracking_number=step.tracking_number,
            user=user,
        )

    return _answer(request, order, "ship", step, key, take)


@router.post("/orders/{order}/deliver", summary="Mark as delivered", **_OPTIONS)
def deliver_order(request: HttpRequest, order: Reference, key: Key) -> HttpResponse:
    """Of a shipped order, or of a packed one that is fetched."""

    def take(found: Order, user: User, _claim: Claim) -> Order:
        return transitions.deliver(order_id=found.pk, user=user)

    return _answer(request, order, "deliver", None, key, take)


@router.post("/orders/{order}/cancel", summary="Cancel", **_OPTIONS)
def cancel_order(request: HttpRequest, order: Reference, step: CancelIn, key: Key) -> HttpResponse:
    """Until it is shipped: its goods are back in stock, and what was paid is owed back."""

    def take(found: Order, user: User, _claim: Claim) -> Order:
        return transitions.cancel(order_id=found.pk, reason=step.reason, user=user)

    return _answer(request, order, "cancel", step, key, take)


@router.post("/orders/{order}/refund", summary="Refund", **_OPTIONS)
def refund_order(request: HttpRequest, order: Reference, step: RefundIn, key: Key) -> HttpResponse:
    """Of all units that are left, or of some. A person at the shop sends the money."""

    def take(found: Order, user: User, claim: Claim) -> Order:
        return transitions.refund(
            order_id=found.pk,
            refund_id=claim.id,
            restock=step.restock,
            lines=_units(step),
            reason=step.reason,
            user=user,
        )

    return _answer(request, order, "refund", step, key, take)


def _units(step: RefundIn) -> dict[str, int] | None:
    """Return the units by SKU; a SKU on two lines is added up. None: all that are left."""
    if step.lines is None:
        return None
    units: dict[str, int] = {}
    for line in step.lines:
        units[line.sku] = units.get(line.sku, 0) + line.quantity
    return units


Take = Callable[[Order, User, Claim], Order]


def _answer(
    request: HttpRequest, reference: str, name: str, step: BaseModel | None, key: str, take: Take
) -> HttpResponse:
    """Take the step once, and answer with the order as it was then."""
    access = access_of(request)
    assert access is not None  # ClientKey
    order = find_order(reference)
    if step is None:
        _refuse_fields(request)

    def work(claim: Claim) -> str:
        try:
            after = take(order, access.client.user, claim)
        except WrongStatus:
            if claim.is_first or not _did(claim, order, name, access.client.user):
                raise
            after = Order.objects.get(pk=order.pk)  # done before its process died
        (seen,) = seen_orders([after], has_persons=True)
        return json.dumps(seen.model_dump(), cls=NinjaJSONEncoder)

    try:
        kept = answer_once(
            access.client,
            key=key,
            fingerprint=fingerprint_of(name, order=order.pk, step=step and step.model_dump()),
            work=work,
        )
    except ClientKeyReusedError:
        detail = "Choose another Idempotency-Key for another request."
        raise Problem(409, "key_reused", detail) from None
    except TransitionError as error:
        raise _refusal(error, order, field=FIELDS.get(name, "")) from None
    answer = HttpResponse(_for(access, kept.answer), content_type="application/json; charset=utf-8")
    if kept.is_repeat:
        answer["Idempotent-Replayed"] = "true"
    return answer


KINDS = {
    "pack": "packed",
    "ship": "shipped",
    "deliver": "delivered",
    "cancel": "cancelled",
    "pay": "paid",
    "refund": "refunded",
}


FIELDS = {"pay": "amount", "refund": "lines", "cancel": "reason", "ship": "carrier"}
"""The field that a refused step is mostly about."""


def _refuse_fields(request: HttpRequest) -> None:
    """Refuse the fields of a body that takes none: they'd be a mistake that nobody would notice."""
    body = StrictParser().parse_body(request) if request.body else {}
    if body != {}:
        names = body if isinstance(body, dict) else [""]
        message = "This step takes no fields: it is taken for the whole order."
        raise invalid_problem(
            [{"field": name[:200], "message": message} for name in list(names)[:100]]
        )


def _did(claim: Claim, order: Order, name: str, user: User) -> bool:
    """Tell whether the client took the step after the key was claimed, whose answer was lost.

    The order may have gone on since, so the status alone doesn't tell.
    """
    return order.events.filter(kind=KINDS[name], user=user, created_at__gte=claim.since).exists()


def _for(access: Access, answer: str) -> str:
    """Return the kept answer as this key may read it: another one may have asked for it."""
    if access.may(CUSTOMERS_READ):
        return answer
    return json.dumps(json.loads(answer) | {"id": None, "status_url": None})


def _refusal(error: TransitionError, order: Order, *, field: str) -> Problem:
    match error:
        case UnknownOrder():
            return Problem(404, "not_found", str(error))
        case InvalidTransition():
            return invalid_problem([{"field": field, "message": str(error)}])
        case OrderBusy():
            return Problem(503, "busy", str(error))
        case WrongStatus():
            status = Order.objects.filter(pk=order.pk).values_list("status", flat=True).first()
            return Problem(409, "wrong_status", str(error), order_status=status or order.status)
        case DoneDifferently():
            return Problem(409, "done_differently", str(error))
        case _:
            return Problem(409, "wrong_status", str(error), order_status=order.status)
