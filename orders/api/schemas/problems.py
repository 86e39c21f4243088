"""The answers that refuse or fail (RFC 9457)."""

from typing import Literal

from pydantic import BaseModel

from orders.api.schemas.fields import Price


class ProblemOut(BaseModel):
    """RFC 9457. `code` is for programs, `detail` for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str


class FieldErrorOut(BaseModel):
    field: str
    message: str


class InvalidOut(ProblemOut):
    errors: list[FieldErrorOut]


class ShortageOut(BaseModel):
    sku: str
    requested: int
    available: int


class ConflictOut(ProblemOut):
    """`items` with `out_of_stock`, `total` with `total_changed`, `reason` with `delivery_changed`
    and `voucher_refused`, none with `key_reused`."""

    items: list[ShortageOut] | None = None
    total: Price | None = None
    reason: str | None = None
    """Why the chosen carrier has no such quote now; empty: it just doesn't name the service. Of a
    voucher: `not_started`, `ended`, `minimum`, `nothing`, `used_up` or `used_by_person`."""
    minimum: Price | None = None
    """What the products that a voucher is for must cost, with its reason `minimum`."""


class LimitedOut(ProblemOut):
    limit: Literal["address", "email", "phone", "session", "all", "client"]
    """What reached its limit; `client`: the API client, whose key came with the request."""


class UnavailableOut(ProblemOut):
    status_url: str | None = None
    """With `outcome_unknown`: where the order is, if it is."""


class ScopeMissingOut(ProblemOut):
    scope: str
    """What the key would need."""


class StepRefusedOut(ProblemOut):
    """`order_status` with `wrong_status`."""

    order_status: str | None = None


class TooFewOut(ProblemOut):
    """`available` with `stock_too_low`."""

    available: int | None = None
