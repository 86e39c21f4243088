"""Placing an order: the one door that shop and API go through.

Both writers get the order at once and commit it in parallel; when `place_order` returns,
stock *and* sales are updated and the order's jobs are queued.
"""

import logging
import threading
import time
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, connection
from django.utils.translation import gettext as _

from media_jobs.outbox import pickup_pass_job
from notifications.outbox import order_messages
from orders.models import Order
from orders.placing.errors import (
    FieldError,
    InvalidOrder,
    KeyReused,
    OutcomeUnknown,
    OutOfStock,
    PlacementError,
    PlacementFailed,
    ShopBusy,
    Shortage,
    TotalChanged,
    UploadsGone,
)
from orders.placing.identity import order_ids
from orders.placing.message_context import message_context
from orders.placing.personalising import (
    Offer,
    draft_uploads,
    find_uploads,
    gone_errors,
    upload_errors,
)
from orders.placing.request import MAX_QUANTITY, OrderRequest
from orders.placing.sales_ledger import Sold
from orders.placing.sales_writer import Count
from orders.placing.settle import settle
from orders.placing.stock_writer import Draft, DraftLine, Taken
from orders.placing.uploads import DraftUpload
from orders.placing.writers import WEB_THREADS, Writers, writers
from project.database.arrays import array_literal
from project.group_commit import (
    GroupCommitError,
    NotCommittedError,
    NotTakenError,
    Submission,
    UnknownCommitError,
)

logger = logging.getLogger(__name__)

DEADLINE = 3.0
"""Seconds that an order may wait for the writers."""
GRACE = 5.0
"""Seconds more for an order that is being written at its deadline."""
MAX_CONCURRENT = WEB_THREADS * 3 // 4
"""Orders in the making per process: the other threads keep pages and health alive."""
MAX_WAIT_FOR_SLOT = 1.5
"""Seconds that a request waits to be one of them: longer than a lock timeout, because for that
long orders of a locked product may hold every turn."""

_slots = threading.BoundedSemaphore(MAX_CONCURRENT)


@dataclass(frozen=True)
class Placement:
    """What became of a request."""

    order: Order
    replayed: bool
    """The order existed already: this request repeats it."""


def place_order(request: OrderRequest) -> Placement:
    """Take the stock, count the sales and write the order with its jobs; then it exists.

    Returns the order, new or repeated. Raises a `PlacementError` that says why there is none;
    RuntimeError inside an open transaction, where the writers could not see what it locks.
    """
    if connection.in_atomic_block:
        raise RuntimeError("place_order commits by itself: call it outside any transaction")
    if not _slots.acquire(timeout=MAX_WAIT_FOR_SLOT):
        raise ShopBusy
    try:
        return _place(request)
    except OperationalError as error:
        # Nothing was submitted yet: what uses this connection later answers for itself.
        raise ShopBusy from error
    finally:
        _slots.release()


def _place(request: OrderRequest) -> Placement:
    ids = order_ids(source=request.source, user_id=request.user_id, key=request.key)
    try:
        placed_id, products = _look(ids, list(request.merged_lines))
        if placed_id is not None:
            return _repeated(placed_id, request)
        draft = _draft(request, ids[0], products)
        return submit(draft)
    except (InvalidOrder, TotalChanged, OutOfStock, UploadsGone) as refusal:
        # A repeat that races the order which took the last unit must not hear "sold out":
        # this look is later than the refusal.
        placed_id, _products = _look(ids, [])
        if placed_id is not None:
            return _repeated(placed_id, request)
        if isinstance(refusal, UploadsGone):
            raise InvalidOrder(gone_errors(request, refusal.tokens)) from refusal
        raise


def _look(ids: list[UUID], skus: list[str]) -> tuple[UUID | None, dict[str, Offer]]:
    """Return the order placed under one of these ids, if any, and the products on sale by SKU.

    By hand and in one round trip: as two ORM queries this look costs more of the web process's
    time than all the rest of placing an order (1.3 ms of 2).
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT id FROM orders_order WHERE id = ANY(%s::uuid[]) LIMIT 1),
                   product.sku, product.id, product.name, product.price, stock.available,
                   product.personalisation, product.requires_upload
            FROM (SELECT) AS always_a_row
            LEFT JOIN (orders_product AS product
                       JOIN orders_stock AS stock ON stock.product_id = product.id)
                   ON product.sku = ANY(%s::text[]) AND product.is_active
            """,
            [array_literal(ids), skus],
        )
        rows = cursor.fetchall()
    return rows[0][0], {row[1]: Offer(*row[2:]) for row in rows if row[1] is not None}


def _repeated(placed_id: UUID, request: OrderRequest) -> Placement:
    """Return the order that this request repeats. Raises KeyReused if it is another one."""
    order = Order.objects.get(pk=placed_id)
    if order.fingerprint != request.fingerprint():
        raise KeyReused(order.pk)
    return Placement(order, replayed=True)


def _draft(request: OrderRequest, order_id: UUID, offers: dict[str, Offer]) -> Draft:
    """Price the request. Raises InvalidOrder, TotalChanged or OutOfStock.

    The stock was seen without a lock: refusing by it spares the writers a sold-out rush.
    """
    quantities = request.merged_lines
    errors = [
        FieldError(f"lines.{position}.sku", _("There is no such product."))
        for position, line in enumerate(request.lines)
        if line.sku not in offers
    ] + [
        FieldError(
            f"lines.{position}.quantity",
            _("Order at most %(most)d of one product.") % {"most": MAX_QUANTITY},
        )
        for position, line in enumerate(request.lines)
        if quantities[line.sku] > MAX_QUANTITY
    ]
    uploads = find_uploads(request)
    errors += upload_errors(request, offers, uploads)
    if errors:
        raise InvalidOrder(errors)
    lines = []
    shortages = []
    for sku, quantity in quantities.items():
        offer = offers[sku]
        lines.append(
            DraftLine(
                product_id=offer.product_id,
                sku=sku,
                name=offer.name,
                quantity=quantity,
                unit_price=offer.price,
                total=offer.price * quantity,
            )
        )
        if offer.available < quantity:
            shortages.append(Shortage(sku, offer.name, quantity, offer.available))
    items_total = sum((line.total for line in lines), Decimal(0))
    delivery_total = Decimal(0)  # until there are carriers
    total = items_total + delivery_total
    if request.expected_total is not None and request.expected_total != total:
        raise TotalChanged(total)
    if shortages:
        raise OutOfStock(shortages)
    order = Order(
        id=order_id,
        door=request.source,
        user_id=request.user_id,
        fingerprint=request.fingerprint(),
        status=Order.Status.PLACED,
        name=request.name,
        email=request.email,
        phone=request.phone,
        language=request.language,
        address=request.address,
        currency=settings.SHOP_CURRENCY,
        items_total=items_total,
        delivery_total=delivery_total,
        total=total,
    )
    return _with_jobs(order, tuple(lines), draft_uploads(request, order, offers, uploads))


def _with_jobs(
    order: Order, lines: tuple[DraftLine, ...], uploads: tuple[DraftUpload, ...]
) -> Draft:
    """Add the order's jobs. The number isn't known yet: `StockWriter` completes the context."""
    context = message_context(order, lines)
    return Draft(
        order=order,
        lines=lines,
        notifications=tuple(
            order_messages(
                event="order_placed",
                order_id=order.pk,
                context=context,
                email=order.email,
                phone=order.phone,
                language=order.language,
            )
        ),
        # An order that is delivered is not picked up.
        media_jobs=() if order.address else (pickup_pass_job(order_id=order.pk, context=context),),
        context=context,
        uploads=uploads,
    )


def submit(draft: Draft) -> Placement:
    """Give the draft to both writers and wait for both."""
    order = draft.order
    # An order in the making holds no connection: the pool stays free for pages.
    connection.close()
    deadline = time.monotonic() + DEADLINE
    threads = writers()
    try:
        stock = threads.stock.submit(draft, deadline=deadline)
    except NotTakenError as error:
        raise ShopBusy from error
    sales = count_sales(threads, draft, deadline)
    try:
        outcome = stock.result(grace=GRACE)
    except BaseException as error:
        # Whatever it was, sales may have counted an order that isn't there.
        if sales is not None:
            threads.sales.withdraw(sales)
        settle(order.pk, threads=threads)
        raise _answer(error, order) from error
    if not isinstance(outcome, Taken):
        settle(order.pk, threads=threads)
        try:
            return Placement(Order.objects.get(pk=order.pk), replayed=True)
        except OperationalError as error:
            raise OutcomeUnknown(order.pk) from error  # it is there, and can't be read now
    order.number, order.placed_at = outcome.number, outcome.placed_at
    order.changed_at = outcome.placed_at
    order._state.adding, order._state.db = False, "default"
    try:
        if sales is not None:
            sales.result(grace=0.5)
    except Exception:
        # The order is committed: its sales follow with the next settle.
        logger.warning("sales of order %s are late", order.pk, exc_info=True)
        settle(order.pk, threads=threads)
    return Placement(order, replayed=False)


def count_sales(threads: Writers, draft: Draft, deadline: float) -> Submission | None:
    """Submit the order's sales; where that fails, `settle_due` counts them."""
    sold = {line.product_id: Sold(line.quantity, line.total) for line in draft.lines}
    try:
        return threads.sales.submit(Count(draft.order.pk, sold), deadline=deadline)
    except NotTakenError:
        return None


def _answer(error: BaseException, order: Order) -> BaseException:
    """What a failed submission means for the shopper."""
    match error:
        case PlacementError():
            return error
        case NotTakenError() | NotCommittedError():
            return ShopBusy()
        case UnknownCommitError():
            return OutcomeUnknown(order.pk)
        case GroupCommitError() | Exception():
            return PlacementFailed()
        case _:
            return error
