"""Why a voucher can't be used."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass
class Refusal(Exception):
    """The voucher can't be used, or not any more."""

    reason: str
    """`not_started`, `ended`, `minimum`, `nothing` (no product that it is for), `used_up`,
    `used_by_person`, `busy`."""
    code: str
    amount: Decimal | None = None
    """The least that the products must cost, with `minimum`."""
