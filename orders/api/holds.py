"""`POST holds` and `DELETE holds/<id>`: units that are set aside while somebody pays."""

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Header, Router, Status

import project.uuids  # noqa: F401  (registers `any_uuid`)
from orders.api.client_access import limited_address
from orders.api.problems import Problem
from orders.api.schemas.fields import IdempotencyKey
from orders.api.schemas.holds import HoldIn, HoldOut
from orders.api.schemas.problems import ConflictOut, InvalidOut, ProblemOut, UnavailableOut
from orders.holds.holding import HoldsAreOff, Units, give_back, hold
from orders.holds.limit import TooManyHolds
from orders.models import Hold
from orders.placing.request import RequestedLine

router = Router(tags=["Orders"])

_RETRY = {"headers": {"Retry-After": {"schema": {"type": "string"}}}}
_REPLAYED = {
    "description": "The units were held before, by the same key.",
    "headers": {"Idempotent-Replayed": {"schema": {"type": "string"}}},
}


@router.post(
    "/holds",
    response={
        201: HoldOut,
        200: HoldOut,
        (400, 404, 410, 413, 415, 429, 500): ProblemOut,
        409: ConflictOut,
        422: InvalidOut,
        503: UnavailableOut,
    },
    summary="Hold units while the customer pays",
    openapi_extra={"responses": {200: _REPLAYED, 429: _RETRY, 503: _RETRY}},
)
def create_hold(
    request: HttpRequest,
    response: HttpResponse,
    wanted: HoldIn,
    key: Annotated[IdempotencyKey | None, Header(alias="Idempotency-Key")] = None,
) -> Status[HoldOut]:
    """All units are held or none, and nobody else can buy them until `expires_at`.

    An order that names the hold gets its units. With an `Idempotency-Key` a repeated request
    returns the first hold; without one each request is another hold.
    """
    address = limited_address(request)
    lines = [RequestedLine(line.sku, line.quantity) for line in wanted.lines]
    try:
        held = hold(lines, key=key or "", counted_address=address)
    except HoldsAreOff:
        raise Problem(404, "not_found", "This shop holds no units.") from None
    except TooManyHolds as error:
        detail = "Order or give back what you hold, or wait."
        raise Problem(429, "too_many_holds", detail, retry_after=error.retry_after) from None
    if not held.is_open:
        detail = "This hold has ended. Hold the units again, with another Idempotency-Key."
        raise Problem(410, "hold_ended", detail)
    if held.is_new:
        return Status(201, _answer(held))
    response["Idempotent-Replayed"] = "true"
    return Status(200, _answer(held))


@router.delete(
    "/holds/{any_uuid:hold_id}",
    response={204: None, (404, 409, 500): ProblemOut, 503: UnavailableOut},
    summary="Give held units back",
    openapi_extra={"responses": {503: _RETRY}},
)
def delete_hold(request: HttpRequest, hold_id: UUID) -> Status[None]:
    """The units are available to everybody again. A hold that has ended already stays ended."""
    try:
        status = give_back(hold_id)
    except Hold.DoesNotExist:
        raise Problem(404, "not_found", "There is no such hold.") from None
    if status == Hold.Status.ORDERED:
        raise Problem(409, "hold_ordered", "The hold has become an order: cancel that one.")
    return Status(204, None)


def _answer(held: Units) -> HoldOut:
    return HoldOut(id=held.id, expires_at=held.expires_at)
