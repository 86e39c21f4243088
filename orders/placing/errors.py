"""The errors of `place_order`. Shop and API translate each one into an answer."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from orders.vouchers.refusal import Refusal


class PlacementError(Exception):
    """The order was not placed, or it isn't known whether it was."""


@dataclass(frozen=True)
class FieldError:
    field: str
    """The path of the field as the API names it: `email`, `lines.0.quantity`."""
    message: str


@dataclass
class InvalidOrder(PlacementError):
    """The request is wrong; each error names its field."""

    errors: list[FieldError]


@dataclass(frozen=True)
class Shortage:
    sku: str
    name: str
    requested: int
    available: int


@dataclass
class OutOfStock(PlacementError):
    """The stock is too low for at least one line; nothing was taken."""

    items: list[Shortage]


@dataclass
class TotalChanged(PlacementError):
    """A price changed since the shopper saw the total; nothing was taken."""

    total: Decimal


@dataclass
class DeliveryChanged(PlacementError):
    """The chosen carrier doesn't quote the chosen service (any more); nothing was taken."""

    reason: str
    """A sentence for the shopper; empty if the carrier just doesn't name the service."""


class VoucherRefused(Refusal, PlacementError):
    """The voucher can't be used, or not any more; nothing was taken."""


@dataclass
class UploadsGone(PlacementError):
    """Other orders took these uploads, or they were pruned; nothing was taken.

    Only the StockWriter raises it, under a lock; `place_order` turns it into InvalidOrder.
    """

    tokens: frozenset[UUID]


@dataclass
class KeyReused(PlacementError):
    """Another order was placed under this key. Its id must not reach any other shopper."""

    order_id: UUID


@dataclass
class OrderLimited(PlacementError):
    """Too many orders were placed by what it counts; nothing was taken."""

    limit: str
    """What reached its limit: a key of `ORDER_LIMITS`."""
    retry_after: int
    """Seconds."""


@dataclass
class ShopBusy(PlacementError):
    """Nothing was taken: the same request may succeed in a moment."""

    retry_after: int = 2
    """Seconds."""


@dataclass
class OutcomeUnknown(PlacementError):
    """The order may exist. A repeat with the same key is safe and returns the outcome."""

    order_id: UUID


@dataclass
class PlacementFailed(PlacementError):
    """This order, or the shop's own code, caused an unexpected error; nothing was taken."""
