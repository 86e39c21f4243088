"""How placing an order can end other than with an order."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID


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
    """At least one line can't be had; nothing was taken."""

    items: list[Shortage]


@dataclass
class TotalChanged(PlacementError):
    """A price changed since the shopper saw the total; nothing was taken."""

    total: Decimal


@dataclass
class UploadsGone(PlacementError):
    """Other orders took these uploads, or they were pruned; nothing was taken.

    Seen by the StockWriter only, under a lock; `place_order` raises InvalidOrder for it.
    """

    tokens: frozenset[UUID]


@dataclass
class KeyReused(PlacementError):
    """Another order was placed under this key. Its id is for its own shopper only."""

    order_id: UUID


@dataclass
class ShopBusy(PlacementError):
    """Nothing was taken: the same request may succeed in a moment."""

    retry_after: int = 2
    """Seconds."""


@dataclass
class OutcomeUnknown(PlacementError):
    """The order may exist: repeating it with the same key is safe and tells."""

    order_id: UUID


@dataclass
class PlacementFailed(PlacementError):
    """Something is wrong with this very order, or with us; nothing was taken."""
