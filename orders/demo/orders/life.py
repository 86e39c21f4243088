"""What is known of a demo order: its columns, lines, timeline, payments and refunds."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from orders.demo.orders.catalogue import Goods
from orders.demo.orders.shoppers import Shopper
from orders.models import Order
from project.order_numbers import NUMBER_PREFIX

AUTOMATIC = ("placed", "media_ready")
"""Steps that nobody enters."""


@dataclass(slots=True)
class Placed:
    """The order's row: making an `Order`, of whose columns it has some, takes far longer."""

    pk: str
    door: str
    user_id: int | None
    fingerprint: str
    name: str
    email: str
    phone: str
    language: str
    address: dict[str, str]
    currency: str
    items_total: Decimal
    delivery_total: Decimal
    total: Decimal
    placed_at: datetime
    changed_at: datetime
    status: str = Order.Status.PLACED.value
    delivery: dict[str, Any] = field(default_factory=dict)
    """See `Order.delivery`."""
    payment_method: str = ""
    discount_total: Decimal = Decimal(0)
    voucher_code: str = ""
    number: int = 0

    @property
    def display_number(self) -> str:
        return f"{NUMBER_PREFIX}{self.number}"


@dataclass(slots=True)
class Line:
    goods: Goods
    quantity: int
    refunded: int = 0

    @property
    def sku(self) -> str:
        return self.goods.sku

    @property
    def name(self) -> str:
        return self.goods.name

    @property
    def unit_price(self) -> Decimal:
        return self.goods.price

    @property
    def total(self) -> Decimal:
        return self.goods.price * self.quantity

    @property
    def charged(self) -> Decimal:
        """No voucher is used in the demo's orders."""
        return self.total

    @property
    def tax_rate(self) -> None:
        """Nobody looks at the tax of such an order."""


@dataclass(slots=True)
class Step:
    """An entry of the timeline. `detail` is its JSON; `occasion` is its messages'."""

    kind: str
    at: datetime
    detail: dict[str, Any] = field(default_factory=dict)
    occasion: str = ""
    user_id: int | None = None

    @property
    def is_by_clerk(self) -> bool:
        """Whether it is neither the shopper's nor the shop's own."""
        detail = self.detail
        return self.kind not in AUTOMATIC and not (detail.get("by_shopper") or "expired" in detail)


@dataclass(slots=True)
class Payment:
    method: str
    reference: str
    amount: Decimal
    at: datetime


@dataclass(slots=True)
class Refund:
    """A refund; the one of a cancelled order has no lines."""

    id: str
    amount: Decimal
    restocked: bool
    reason: str
    at: datetime
    user_id: int | None
    lines: list[tuple[Line, int]] = field(default_factory=list)
    paid_out_at: datetime | None = None
    payout_reference: str = ""


@dataclass(slots=True)
class Life:
    position: int
    order: Placed
    shopper: Shopper
    clerk_id: int
    """The user who handles the order at the desk."""
    lines: list[Line]
    steps: list[Step]
    cancellation: Step | None = None
    """The step that cancelled the order; its refund may be paid out after it."""
    payments: list[Payment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    context: str = ""
    """The order data of its later jobs, as JSON, once the order has a number."""
    first_context: str = ""
    """The order data of the jobs that were placed with it: how to pay, too."""
    status_url: str = ""
    mail_mark: str = ""
    """Both as its contexts have them."""
