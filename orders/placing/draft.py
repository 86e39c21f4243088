"""An order that is priced: what `pricing` makes and the two writers write."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from media_jobs.models import MediaJob
from notifications.models import Notification
from orders.models import Order
from orders.placing.held_units import HeldUnits
from orders.placing.uploads import DraftUpload
from orders.placing.voucher_rows import DraftUse
from project.tracing.spans import traceparent
from project.trail import request_id


@dataclass(frozen=True)
class DraftLine:
    product_id: int
    sku: str
    name: str
    quantity: int
    unit_price: Decimal
    total: Decimal
    tax_rate: Decimal | None = None
    """In per cent; None: unknown."""
    discount: Decimal = Decimal("0.00")
    """What the order's voucher takes off the total."""

    @property
    def charged(self) -> Decimal:
        """What the line costs."""
        return self.total - self.discount


@dataclass(frozen=True)
class Draft:
    """An order that is priced and ready to be written, with its jobs."""

    order: Order
    lines: tuple[DraftLine, ...]
    notifications: tuple[Notification, ...]
    media_jobs: tuple[MediaJob, ...]
    context: dict[str, Any]
    """The order data that each of its jobs stores, without the order's number."""
    uploads: tuple[DraftUpload, ...] = ()
    use: DraftUse | None = None
    """Its voucher."""
    held: HeldUnits | None = None
    """The hold that it uses: its units count for this order."""
    operator_id: int | None = None
    """The user who made the order for a customer, if any."""
    detail: dict[str, Any] = field(default_factory=dict)
    """The detail of the order's first event."""
    is_synthetic: bool = False
    """See `OrderRequest.is_synthetic`."""
    request_id: str = field(default_factory=request_id)
    """The request that made it, for the log."""
    traceparent: str = field(default_factory=traceparent)
    """Its span, with which its jobs go on; empty without traces."""

    @property
    def id(self) -> UUID:
        """The order's id."""
        return self.order.pk

    @property
    def fingerprint(self) -> str:
        """The order's."""
        return self.order.fingerprint

    @property
    def product_ids(self) -> set[int]:
        """The products whose stock it changes."""
        held = self.held.units if self.held else ()
        return {line.product_id for line in self.lines}.union(held)

    @property
    def user_ids(self) -> set[int]:
        """The accounts that its rows name: the customer's, and the operator's."""
        return {user_id for user_id in (self.order.user_id, self.operator_id) if user_id}

    @property
    def jobs(self) -> list[Notification | MediaJob]:
        """All jobs that are queued with the order."""
        return [*self.notifications, *self.media_jobs, *(part.job for part in self.uploads)]


@dataclass(frozen=True)
class Taken:
    """The stock is taken and the order committed."""

    number: int
    placed_at: datetime


@dataclass(frozen=True)
class AlreadyPlaced:
    """The order existed before: this draft repeats it."""
