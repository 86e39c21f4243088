"""Low stock, and what people write: receipts, corrections and counts.

Each is a movement in the ledger, and the counter with it. Nothing ever sets the counter.
"""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from orders.models import BY_HAND, HoldLine, Product, Stock, StockMovement

MOST_UNITS = 1_000_000_000
"""Units on hand, at most: half of what the column can keep, so that a restock always fits."""


def is_low() -> Q:
    """Return the filter for products with stock at or below their threshold, or the shop's."""
    return Q(stock__available__lte=Coalesce("low_stock", settings.LOW_STOCK_UNITS))


def low_stock_at(product: Product) -> int:
    """Return the threshold at which the product's stock is low."""
    units: int = settings.LOW_STOCK_UNITS
    return units if product.low_stock is None else product.low_stock


@dataclass
class StockTooLowError(Exception):
    """The correction would make the stock negative; nothing was changed."""

    available: int
    held: int = 0
    """What is set aside for shoppers at the checkout: it can't be taken from them."""

    def __str__(self) -> str:
        if self.held:
            return _(
                "Only %(available)d can be taken: %(held)d more are set aside for shoppers at the"
                " checkout. Try again when their time is over, or give the holds back."
            ) % {"available": self.available, "held": self.held}
        return _("There are only %(available)d left.") % {"available": self.available}


@dataclass
class StockTooLargeError(Exception):
    """The correction would make more units than the shop can count; nothing was changed."""

    available: int

    def __str__(self) -> str:
        return _("There are %(available)d units already: more can't be counted.") % {
            "available": self.available
        }


@dataclass
class CorrectionKeyReusedError(Exception):
    """The key belongs to another correction; nothing was changed."""

    written: StockMovement

    def __str__(self) -> str:
        return _(
            "This form has been written as %(units)+d (%(reason)s). Nothing more was changed:"
            " if this is another movement, write it now."
        ) % {"units": self.written.quantity, "reason": self.written.reason}


@dataclass
class CorrectedMeanwhileError(Exception):
    """Somebody corrected the stock after it was counted; nothing was changed."""

    newest: StockMovement

    def __str__(self) -> str:
        return _(
            "The stock was corrected meanwhile: %(units)+d by %(user)s (%(reason)s). Nothing was"
            " changed: compare your count with the new number."
        ) % {
            "units": self.newest.quantity,
            "user": self.newest.user or "–",
            "reason": self.newest.reason,
        }


def last_correction_id(product_id: int) -> int:
    """Return the id of the newest movement that somebody wrote for the product; 0 without any."""
    newest = _corrections(product_id).first()
    return newest.pk if newest else 0


def _corrections(product_id: int) -> QuerySet[StockMovement]:
    corrections = StockMovement.objects.filter(product_id=product_id, kind__in=BY_HAND)
    return corrections.order_by("-pk")


def correct_stock(
    *,
    product_id: int,
    delta: int,
    reason: str,
    user_id: int | None,
    key: UUID | None = None,
    counted_after: int | None = None,
    kind: StockMovement.Kind = StockMovement.Kind.CORRECTION,
) -> Stock:
    """Add `delta` units (below zero: take them) with a reason; return the new stock.

    `kind` is one of `BY_HAND`; a receipt only adds.

    It runs in its own transaction, like the writers: it locks the stock row first, and waits for
    nothing while the lock is held. `key` is an idempotency key: a repeat changes nothing.
    `counted_after` is the id of the newest correction that a count knew of (`last_correction_id`):
    a newer one has set the stock right already.
    Raises StockTooLowError, StockTooLargeError, CorrectionKeyReusedError, CorrectedMeanwhileError,
    ValueError without a change or a reason, Stock.DoesNotExist.
    """
    if not delta or not reason.strip():
        raise ValueError("a correction has an amount and a reason")
    if kind not in BY_HAND or (kind == StockMovement.Kind.RECEIPT and delta < 0):
        raise ValueError(f"a movement of {delta:+d} is no {kind}")
    with transaction.atomic(durable=True):
        stock = Stock.objects.select_for_update(no_key=True).get(pk=product_id)
        written = StockMovement.objects.filter(key=key).first() if key else None
        if written:
            if (written.product_id, written.quantity, written.reason) != (
                product_id,
                delta,
                reason.strip(),
            ):
                raise CorrectionKeyReusedError(written)
            return stock
        if counted_after is not None:
            newer = _corrections(product_id).filter(pk__gt=counted_after).select_related("user")
            if newest := newer.first():
                raise CorrectedMeanwhileError(newest)
        if stock.available + delta < 0:
            held = HoldLine.objects.filter(product=product_id).aggregate(sum=Sum("quantity"))
            raise StockTooLowError(stock.available, held["sum"] or 0)
        if stock.available + delta > MOST_UNITS:
            raise StockTooLargeError(stock.available)
        stock.available += delta
        stock.save(update_fields=["available"])
        StockMovement.objects.create(
            product_id=product_id,
            kind=kind,
            quantity=delta,
            reason=reason.strip(),
            user_id=user_id,
            key=key,
        )
    return stock
