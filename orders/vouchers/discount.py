"""What a voucher takes off an order: an amount for the whole, shared among the lines it is for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from orders.models import OrderLine, Voucher
from orders.taxes.splitting import shared, unit_of
from orders.vouchers.refusal import Refusal
from project.database.clock import database_now

MAX_CODE_LENGTH = 40


@dataclass(frozen=True)
class DiscountedLine:
    """What a line of a cart or an order costs before the discount."""

    total: Decimal
    category_id: int


def read_voucher(code: str) -> Voucher | None:
    """Return the voucher with this code, however it is typed; None if there is none."""
    return Voucher.objects.filter(code=plain_code(code)).first()


def plain_code(typed: str) -> str:
    """Return the code as it is stored: people type it in small letters and with spaces."""
    return "".join(typed.split()).upper()


def discounts_of(
    voucher: Voucher, lines: Sequence[DiscountedLine], *, currency: str, now: datetime | None = None
) -> list[Decimal]:
    """Return what the voucher takes off each line, to the currency's smallest unit.

    A percentage is taken of the sum of the lines that it is for, and rounded half up once. The
    discount is shared among these lines in proportion to their totals; units that are left go to
    the largest remainders. No line gets cheaper than nothing, and delivery keeps its price.
    Raises Refusal. Uses are counted later, under the voucher's lock.
    """
    now = now or database_now()
    if not voucher.is_active or (voucher.ends_at and voucher.ends_at <= now):
        raise Refusal("ended", voucher.code)
    if voucher.starts_at and voucher.starts_at > now:
        raise Refusal("not_started", voucher.code)
    if voucher.limit is not None and voucher.used >= voucher.limit:
        raise Refusal("used_up", voucher.code)
    meant: dict[int, Decimal] = {
        position: line.total
        for position, line in enumerate(lines)
        if voucher.category_id in (None, line.category_id)
    }
    base = sum(meant.values(), Decimal(0))
    if not base:
        raise Refusal("nothing", voucher.code)
    if voucher.minimum is not None and base < voucher.minimum:
        raise Refusal("minimum", voucher.code, amount=voucher.minimum)
    amount = _amount(voucher, base, unit=unit_of(currency))
    shares: Mapping[int, Decimal] = shared(amount, meant, unit=unit_of(currency))
    return [shares.get(position, Decimal("0.00")) for position in range(len(lines))]


def _amount(voucher: Voucher, base: Decimal, *, unit: Decimal) -> Decimal:
    if voucher.kind == Voucher.Kind.AMOUNT:
        return min(voucher.value.quantize(unit, ROUND_DOWN), base)
    return (base * voucher.value / 100).quantize(unit, ROUND_HALF_UP)


def discount_for_next(line: OrderLine, count: int, *, unit: Decimal) -> Decimal:
    """Return the part of the line's discount that belongs to the next `count` of its units that
    aren't refunded: so much less was paid for them.

    It is the difference of two parts of the whole, each rounded half up to a multiple of `unit`. So
    all refunds of a line together give back what was paid. `COUNTED_LINES` says the same in SQL.
    """
    if not line.discount:
        return Decimal("0.00")
    before, after = (
        (line.discount * units / line.quantity).quantize(unit, ROUND_HALF_UP)
        for units in (line.refunded, line.refunded + count)
    )
    return after - before
