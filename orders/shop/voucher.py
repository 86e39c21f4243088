"""A voucher on the page of an order to be placed: what it takes off, or why it doesn't."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from orders.vouchers.discount import DiscountedLine, discounts_of, plain_code, read_voucher
from orders.vouchers.refusal import Refusal
from orders.vouchers.wording import refusal_in_words, unknown_code


@dataclass(frozen=True)
class ShownVoucher:
    """A code that was typed."""

    code: str = ""
    discounts: Sequence[Decimal] = ()
    """What it takes off each line."""
    problem: str = ""
    """Why it takes off nothing."""

    @property
    def amount(self) -> Decimal:
        """What it takes off all lines."""
        return sum(self.discounts, Decimal("0.00"))


NO_VOUCHER = ShownVoucher()


def shown_voucher(typed: str, lines: Sequence[DiscountedLine]) -> ShownVoucher:
    """Return what the typed code means for the lines. Uses per person are counted at the order."""
    code = plain_code(typed)
    if not code:
        return NO_VOUCHER
    voucher = read_voucher(code)
    if voucher is None:
        return ShownVoucher(code, problem=unknown_code())
    try:
        discounts = discounts_of(voucher, lines, currency=settings.SHOP_CURRENCY)
    except Refusal as refusal:
        return ShownVoucher(code, problem=refusal_in_words(refusal))
    return ShownVoucher(code, discounts)
