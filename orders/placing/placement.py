"""Placing an order: the one service that shop and API call.

Admission, look-up of a repeat, price, limits, submission, answer. Both writers get the order at
the same time and commit in parallel. When `place_order` returns, stock *and* sales are updated and
the order's jobs are queued.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.db import Error, connection
from django.utils.translation import gettext as _

from notifications.models import SYNTHETIC
from orders.models import Hold, Order, Voucher
from orders.placing.delivery import quote_ahead
from orders.placing.draft import Draft, Taken
from orders.placing.errors import (
    DeliveryChanged,
    FieldError,
    InvalidOrder,
    KeyReused,
    OrderLimited,
    OutcomeUnknown,
    OutOfStock,
    PlacementError,
    PlacementFailed,
    ShopBusy,
    TotalChanged,
    UploadsGone,
    VoucherRefused,
)
from orders.placing.held_units import HeldUnits, read_held
from orders.placing.identity import order_ids
from orders.placing.limits import count_order, uncount_order
from orders.placing.offers import look_up
from orders.placing.personalising import gone_errors
from orders.placing.pricing import price
from orders.placing.repeats import is_repeat
from orders.placing.request import OrderRequest
from orders.placing.sales_ledger import Sold
from orders.placing.sales_writer import Count
from orders.placing.settle import settle
from orders.placing.turns import Turns
from orders.placing.upload_checks import wait_for_checks
from orders.placing.writers import WEB_THREADS, Writers, synthetic_writers, writers
from orders.quotes.parcel import Quote
from orders.taxes.rates import country_of
from orders.vouchers.discount import read_voucher
from orders.vouchers.wording import unknown_code
from project.admission.refusal import is_refused
from project.database.errors import dropped_if_lost
from project.figures.noting import Counter, count
from project.group_commit import (
    GroupCommitError,
    NotCommittedError,
    NotTakenError,
    Submission,
    UnknownCommitError,
)
from project.tracing.spans import span

logger = logging.getLogger(__name__)

DEADLINE = 3.0
"""Seconds that an order may wait for the writers."""
GRACE = 5.0
"""Extra seconds for an order that is being written when its deadline passes."""
MAX_CONCURRENT = WEB_THREADS * 3 // 4
"""Orders that one process places at a time: as many as get a thread (`project.admission`). The
other threads serve pages and health checks."""
MAX_WAIT_FOR_TURN = 1.5
"""Seconds that a request waits for a turn. It is longer than the lock timeout, because orders for
a locked product may hold every turn until that timeout."""

ORDERS = Counter(
    "tandem_order_requests",
    "Orders that were asked for, by where they came from and what came of them",
    labels=("source", "outcome"),
)
OUTCOMES: dict[type[PlacementError], str] = {
    InvalidOrder: "invalid",
    DeliveryChanged: "delivery_changed",
    TotalChanged: "total_changed",
    OutOfStock: "out_of_stock",
    OrderLimited: "limited",
    UploadsGone: "uploads_gone",
    VoucherRefused: "voucher_refused",
    KeyReused: "key_reused",
    ShopBusy: "busy",
    OutcomeUnknown: "unknown",
    PlacementFailed: "failed",
}
PLACED, REPLAYED, ERROR = "placed", "replayed", "error"

REFUSALS = (
    InvalidOrder, DeliveryChanged, TotalChanged, OutOfStock, OrderLimited, UploadsGone,
    VoucherRefused,
)  # fmt: skip
"""What the shop answers to a request: nothing was taken, and nothing is in doubt."""

_turns = Turns(MAX_CONCURRENT)


@dataclass(frozen=True)
class Placement:
    """The result of a request: its order."""

    order: Order
    draft: Draft | None = None
    """What was just written; None if the order existed already and this request repeats it."""

    @property
    def replayed(self) -> bool:
        """Tell whether the order existed already."""
        return self.draft is None


def place_order(request: OrderRequest) -> Placement:
    """Take the stock, count the sales, and write the order with its jobs.

    Returns the order, new or repeated. Raises a `PlacementError` with the reason if there is no
    order, and RuntimeError inside an open transaction: the writers use other connections and would
    wait for its locks.
    """
    if connection.in_atomic_block:
        raise RuntimeError("place_order commits by itself: call it outside any transaction")
    source = SYNTHETIC if request.is_synthetic else request.source
    outcome = ERROR
    with span("place order", refusals=(*REFUSALS, KeyReused), order_source=source) as traced:
        try:
            placement = _place_in_turn(request, source)
            outcome = REPLAYED if placement.replayed else PLACED
            return placement
        except PlacementError as error:
            outcome = OUTCOMES[type(error)]
            raise
        finally:
            count(ORDERS, source, outcome)
            traced.note(order_outcome=outcome)


def _place_in_turn(request: OrderRequest, source: str) -> Placement:
    wait_for_checks(request.uploads)
    ids = order_ids(source=source, user_id=request.user_id, key=request.key)
    try:
        ahead = quote_ahead(request, order_ids=ids)  # it may take a second, so before the turn
        with turn():
            return _place(request, ids, ahead)
    except Error as error:
        # Only the reads before submission raise it here. `submit` handles its own errors.
        if dropped_if_lost(error, connection):
            raise ShopBusy from error
        raise


@contextmanager
def turn() -> Iterator[None]:
    """Take a turn for the block. Raises ShopBusy, at once for an order that was not let in."""
    if is_refused() or not _turns.begin(timeout=MAX_WAIT_FOR_TURN):
        raise ShopBusy
    try:
        yield
    finally:
        _turns.end()


def _place(
    request: OrderRequest, ids: list[UUID], ahead: Quote | DeliveryChanged | None
) -> Placement:
    try:
        # Before the stock is read: units of a hold that ends in between are in one of the two.
        held = read_held(request.hold) if request.hold else None
        placed_id, offers = look_up(
            order_ids=ids,
            skus=request.merged_lines,
            country=country_of(request.address),
            language=request.language,
            is_synthetic=request.is_synthetic,
        )
        if placed_id is not None:
            return _repeated(placed_id, request)
        if request.is_synthetic and (request.hold or request.voucher):
            text = _("A performance run uses no holds and no vouchers.")
            raise InvalidOrder([FieldError("hold" if request.hold else "voucher", text)])
        _check_hold(request, held)
        draft = price(
            request,
            order_id=ids[0],
            offers=offers,
            ahead=ahead,
            held=held,
            voucher=_voucher(request),
        )
        return _submit_within_limits(draft, request)
    except REFUSALS as refusal:
        # Between the first look-up and the refusal, another request with this key may have
        # placed the order and taken the last unit. The shopper must then get that order
        # and no refusal, so the order is looked up once more.
        placed_id, _none = look_up(
            order_ids=ids, skus=(), country="", is_synthetic=request.is_synthetic
        )
        if placed_id is not None:
            return _repeated(placed_id, request)
        if isinstance(refusal, UploadsGone):
            raise InvalidOrder(gone_errors(request, refusal.tokens)) from refusal
        raise


def _check_hold(request: OrderRequest, held: HeldUnits | None) -> None:
    """Raise InvalidOrder if there never was such a hold.

    Once it has ended, the order gets what is available, like any other.
    """
    if request.hold and held is None and not Hold.objects.filter(pk=request.hold).exists():
        raise InvalidOrder([FieldError("hold", _("There is no such hold."))])


def _voucher(request: OrderRequest) -> Voucher | None:
    """Return the request's voucher. Raises InvalidOrder if there is none with this code."""
    if not request.voucher:
        return None
    voucher = read_voucher(request.voucher)
    if voucher is None:
        raise InvalidOrder([FieldError("voucher", unknown_code())])
    return voucher


def _repeated(placed_id: UUID, request: OrderRequest) -> Placement:
    """Return the order that this request repeats. Raises KeyReused if it is another one.

    A performance run repeats nothing: its orders can't be read from the shop's tables.
    """
    if request.is_synthetic:
        raise KeyReused(placed_id)
    order = Order.objects.get(pk=placed_id)
    if not is_repeat(request, of=order):
        raise KeyReused(order.pk)
    return Placement(order)


def _submit_within_limits(draft: Draft, request: OrderRequest) -> Placement:
    """Count the order and submit it. Only orders that are placed, or may be, stay counted."""
    counted = count_order(request)
    try:
        placement = submit(draft)
    except OutcomeUnknown:
        raise
    except PlacementError:
        uncount_order(counted)
        raise
    if placement.replayed:
        uncount_order(counted)
    return placement


def submit(draft: Draft) -> Placement:
    """Submit the draft to both writers and wait for both."""
    order = draft.order
    # A waiting order must not hold a connection: the pool stays free for pages.
    connection.close()
    deadline = time.monotonic() + DEADLINE
    threads = synthetic_writers() if draft.is_synthetic else writers()
    try:
        stock = threads.stock.submit(draft, deadline=deadline)
    except NotTakenError as error:
        raise ShopBusy from error
    sales = count_sales(threads, draft, deadline)
    try:
        outcome = stock.result(grace=GRACE)
    except BaseException as error:
        # After any error the sales writer may have counted an order that doesn't exist.
        if sales is not None:
            threads.sales.withdraw(sales)
        settle(order.pk, threads=threads)
        raise _answer(error, order) from error
    if not isinstance(outcome, Taken):
        settle(order.pk, threads=threads)
        if draft.is_synthetic:
            raise KeyReused(order.pk)
        try:
            return Placement(Order.objects.get(pk=order.pk))
        except Error as error:
            if dropped_if_lost(error, connection):
                raise OutcomeUnknown(order.pk) from error  # it exists, but can't be read now
            raise
    order.number, order.placed_at = outcome.number, outcome.placed_at
    order.changed_at = outcome.placed_at
    order._state.adding, order._state.db = False, "default"
    try:
        if sales is not None:
            sales.result(grace=0.5)
    except Exception:
        # The order is committed. This settle, or the next sweep, counts its sales.
        logger.warning("sales of order %s are late", order.pk, exc_info=True)
        settle(order.pk, threads=threads)
    return Placement(order, draft)


def count_sales(threads: Writers, draft: Draft, deadline: float) -> Submission | None:
    """Submit the order's sales; None if the queue refuses them, then `settle_due` counts them."""
    sold = {line.product_id: Sold(line.quantity, line.charged) for line in draft.lines}
    try:
        return threads.sales.submit(Count(draft.order.pk, sold), deadline=deadline)
    except NotTakenError:
        return None


def _answer(error: BaseException, order: Order) -> BaseException:
    """Return the error that `place_order` raises for a failed submission."""
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
