"""Stock for API clients: `GET stock`, `GET stock/movements`, and the requests that move it."""

from collections.abc import Callable
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Header, Query, Router
from pydantic import BaseModel

from orders.api.client_access import ClientKey, access_of
from orders.api.pages import cursor_of, read_rows, refuse_unknown
from orders.api.problems import Problem, invalid_problem
from orders.api.schemas.fields import IdempotencyKey
from orders.api.schemas.problems import InvalidOut, ProblemOut, TooFewOut
from orders.api.schemas.stock import (
    CountIn,
    LevelOut,
    MovedOut,
    MovementFilters,
    MovementIn,
    MovementOut,
    MovementPage,
    StockFilters,
    StockPage,
)
from orders.catalogue.ledger import with_on_hand
from orders.catalogue.stock import (
    CorrectedMeanwhileError,
    CorrectionKeyReusedError,
    StockTooLargeError,
    StockTooLowError,
    correct_stock,
    is_low,
    low_stock_at,
)
from orders.clients.answers import Claim, ClientKeyReusedError, answer_once, fingerprint_of
from orders.clients.keys import Access
from orders.clients.scopes import CUSTOMERS_READ, STOCK_READ, STOCK_WRITE
from orders.models import Product, StockMovement
from orders.models.product import IS_SOLD

router = Router(tags=["Stock"])

Kind = StockMovement.Kind
Key = Annotated[IdempotencyKey, Header(alias="Idempotency-Key")]
_TEXT = {"schema": {"type": "string"}}
_WRITES: dict[str, Any] = {
    "response": {
        200: MovedOut,
        (400, 404, 413, 415, 500): ProblemOut,
        409: TooFewOut,
        422: InvalidOut,
    },
    "auth": ClientKey(STOCK_WRITE),
    "openapi_extra": {"responses": {200: {"headers": {"Idempotent-Replayed": _TEXT}}}},
}


@router.get(
    "/stock",
    response={200: StockPage, 422: InvalidOut},
    auth=ClientKey(STOCK_READ),
    summary="List the stock of products",
)
def list_stock(request: HttpRequest, filters: Query[StockFilters]) -> StockPage:
    """What is sold, by the time of its creation: variants stand for their product."""
    refuse_unknown(request, filters)
    products = Product.objects.filter(IS_SOLD)
    if filters.sku:
        products = products.filter(sku=filters.sku)
    if filters.low:
        products = products.filter(is_low())
    rows = with_on_hand(products).select_related("stock").order_by("id")
    page = read_rows(rows, cursor=filters.cursor, size=filters.limit)
    return StockPage(items=[_level(product) for product in page.rows], next=cursor_of(page.next))


def _level(product: Any) -> LevelOut:
    return LevelOut(
        sku=product.sku,
        name=product.name,
        available=product.on_hand - product.held,
        held=product.held,
        on_hand=product.on_hand,
        last_movement=product.last,
        shelf=product.shelf,
        is_low=product.on_hand - product.held <= low_stock_at(product),
    )


@router.get(
    "/stock/movements",
    response={200: MovementPage, 422: InvalidOut},
    auth=ClientKey(STOCK_READ),
    summary="List the movements of stock",
)
def list_movements(request: HttpRequest, filters: Query[MovementFilters]) -> MovementPage:
    """The ledger, the newest first. A SKU that doesn't exist has no movements."""
    refuse_unknown(request, filters)
    rows = StockMovement.objects.select_related("product", "order")
    if filters.sku:
        # By its id, which an index of the ledger begins with; a join may read the whole ledger.
        found = Product.objects.filter(sku=filters.sku).values_list("pk", flat=True).first()
        rows = rows.filter(product=found) if found else rows.none()
    if filters.kind:
        rows = rows.filter(kind=filters.kind)
    rows = rows.order_by("-created_at", "-id")
    page = read_rows(rows, cursor=filters.cursor, size=filters.limit)
    access = access_of(request)
    has_persons = access is not None and access.may(CUSTOMERS_READ)
    items = [_movement(row, has_persons=has_persons) for row in page.rows]
    return MovementPage(items=items, next=cursor_of(page.next))


def _movement(row: StockMovement, *, has_persons: bool) -> MovementOut:
    """Return the movement. What was written to or of an order's person needs the scope for it."""
    return MovementOut(
        id=row.pk,
        sku=row.product.sku,
        kind=row.kind,
        quantity=row.quantity,
        reason=row.reason if has_persons or row.order is None else "",
        order=row.order.display_number if row.order else None,
        created_at=row.created_at,
    )


@router.post("/stock/movements", summary="Receive or correct stock", **_WRITES)
def move_stock(request: HttpRequest, movement: MovementIn, key: Key) -> HttpResponse:
    """One movement in the ledger, with its reason. Stock never falls below zero."""
    message = ""
    if not movement.quantity:
        message = _("Give the units that came, or by which it changed: not zero.")
    elif movement.kind == "receipt" and movement.quantity < 0:
        message = _("A receipt adds units: to take some, send a correction.")
    if message:
        raise invalid_problem([{"field": "quantity", "message": message}])

    def work(product: Any, access: Access, claim: Claim) -> int:
        correct_stock(
            product_id=product.pk,
            delta=movement.quantity,
            reason=movement.reason,
            user_id=access.client.user_id,
            key=claim.id,
            kind=Kind(movement.kind),
        )
        return movement.quantity

    return _answer(request, "move", movement.sku, movement, key, work)


@router.post("/stock/counts", summary="Count stock", **_WRITES)
def count_stock(request: HttpRequest, count: CountIn, key: Key) -> HttpResponse:
    """Set the units on hand to what was counted; the ledger gets the difference.

    A product that somebody received, corrected or counted since `last_movement` is refused: 409.
    """
    if (count.on_hand is None) != (count.last_movement is None):
        message = _("Give both or neither.")
        raise invalid_problem([{"field": "on_hand", "message": message}])

    def work(product: Any, access: Access, claim: Claim) -> int:
        on_hand = product.on_hand if count.on_hand is None else count.on_hand
        last = product.last if count.last_movement is None else count.last_movement
        if last > product.last:
            message = _("The product has no such movement: read its stock again.")
            raise invalid_problem([{"field": "last_movement", "message": message}])
        if delta := count.counted - on_hand:
            try:
                correct_stock(
                    product_id=product.pk,
                    delta=delta,
                    reason=count.reason,
                    user_id=access.client.user_id,
                    key=claim.id,
                    counted_after=last,
                    kind=Kind.COUNT,
                )
            except CorrectionKeyReusedError as error:
                # It was written before its process died, or by the same request at this moment;
                # what was ordered since makes another difference.
                return error.written.quantity
        written = StockMovement.objects.filter(key=claim.id).first()
        return written.quantity if written else 0

    return _answer(request, "count", count.sku, count, key, work)


Work = Callable[[Any, Access, Claim], int]
UNITS = {"move": "quantity", "count": "counted"}
"""The field with the units, by the operation."""


def _answer(
    request: HttpRequest, name: str, sku: str, wanted: BaseModel, key: str, work: Work
) -> HttpResponse:
    """Move the stock once, and answer with it as it was then."""
    access = access_of(request)
    assert access is not None  # ClientKey
    sold = Product.objects.filter(IS_SOLD, sku=sku)

    def move(claim: Claim) -> str:
        product: Any = with_on_hand(sold).get()
        quantity = work(product, access, claim)
        after: Any = with_on_hand(sold).get()
        return MovedOut(
            sku=sku,
            quantity=quantity,
            available=after.on_hand - after.held,
            held=after.held,
            on_hand=after.on_hand,
            last_movement=after.last,
        ).model_dump_json()

    fingerprint = fingerprint_of(name, wanted=wanted.model_dump())
    try:
        kept = answer_once(access.client, key=key, fingerprint=fingerprint, work=move)
    except Product.DoesNotExist:
        raise Problem(404, "not_found", "No product that is sold has this SKU.") from None
    except ClientKeyReusedError:
        detail = "Choose another Idempotency-Key for another request."
        raise Problem(409, "key_reused", detail) from None
    except StockTooLowError as error:
        raise Problem(409, "stock_too_low", str(error), available=error.available) from None
    except StockTooLargeError as error:
        raise invalid_problem([{"field": UNITS[name], "message": str(error)}]) from None
    except (CorrectedMeanwhileError, CorrectionKeyReusedError):
        # The exception names the colleague, who is no concern of another system.
        detail = "Somebody received, corrected or counted it since: read the stock, count again."
        raise Problem(409, "corrected_meanwhile", detail) from None
    answer = HttpResponse(kept.answer, content_type="application/json; charset=utf-8")
    if kept.is_repeat:
        answer["Idempotent-Replayed"] = "true"
    return answer
