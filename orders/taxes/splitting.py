"""Splitting amounts that include tax into net and tax, so that all sums agree with the total.

For each rate the net of all is the gross of all divided by 1 + rate %, rounded half up once to the
currency's smallest unit. A part's net is the difference of two such sums, with it and without it:
so the parts add up to the rounded sum, and each is at most one unit from its exact value.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Protocol, TypeVar

from orders.models import Order
from project.currencies import decimal_places

ZERO = Decimal("0.00")
Key = TypeVar("Key", Decimal, int)


class Line(Protocol):
    """What `taxes_of` needs of a line."""

    @property
    def charged(self) -> Decimal: ...
    @property
    def tax_rate(self) -> Decimal | None: ...


@dataclass(frozen=True)
class TaxedLine:
    """A line that is no order's yet."""

    charged: Decimal
    """Its total less its discount."""
    tax_rate: Decimal | None


@dataclass(frozen=True)
class Split:
    """An amount that includes tax, and what it is made of."""

    rate: Decimal
    """In per cent."""
    gross: Decimal
    net: Decimal
    tax: Decimal

    @property
    def percent(self) -> str:
        """The rate as people write it: 19, 7.7."""
        return f"{self.rate.normalize():f}"


def unit_of(currency: str) -> Decimal:
    """Return the smallest amount of the currency: 0.01 of EUR, 1 of JPY, 0.001 of KWD."""
    return Decimal(1).scaleb(-decimal_places(currency))


def net_of(gross: Decimal, *, rate: Decimal, unit: Decimal) -> Decimal:
    """Return the gross amount without its tax, rounded half up to a multiple of `unit`."""
    return (gross * 100 / (100 + rate)).quantize(unit, ROUND_HALF_UP)


def split(
    amounts: Iterable[tuple[Decimal, Decimal]],
    *,
    unit: Decimal,
    earlier: Mapping[Decimal, Decimal] | None = None,
) -> list[Split]:
    """Split each (rate, gross amount) into net and tax.

    `earlier` is what was split before, by rate. Credit notes begin where the one before them
    ended, so that all of an invoice's together have its net and its tax.
    """
    so_far = dict(earlier or {})
    parts = []
    for rate, amount in amounts:
        before = so_far.get(rate, ZERO)
        after = so_far[rate] = before + amount
        net = net_of(after, rate=rate, unit=unit) - net_of(before, rate=rate, unit=unit)
        parts.append(Split(rate=rate, gross=amount, net=net, tax=amount - net))
    return parts


def by_rate(parts: Iterable[Split]) -> list[Split]:
    """Return the sums of the parts for each rate, the highest first."""
    sums: dict[Decimal, list[Split]] = {}
    for part in parts:
        sums.setdefault(part.rate, []).append(part)
    return [
        Split(
            rate=rate,
            gross=sum((part.gross for part in sums[rate]), ZERO),
            net=sum((part.net for part in sums[rate]), ZERO),
            tax=sum((part.tax for part in sums[rate]), ZERO),
        )
        for rate in sorted(sums, reverse=True)
    ]


def shared(amount: Decimal, weights: Mapping[Key, Decimal], *, unit: Decimal) -> dict[Key, Decimal]:
    """Share the amount among rates, or lines, in proportion to what is sold by each, to the unit.

    Delivery is taxed as the goods are that it brings: it is part of what is paid for them
    (Directive 2006/112/EC, article 78 b). Units that are left go to the largest remainders. Goods
    that cost nothing leave all of it at the highest rate.
    """
    whole = sum(weights.values(), ZERO)
    if not whole:
        return {max(weights): amount}
    exact = {rate: amount * weight / whole for rate, weight in weights.items()}
    shares = {rate: share.quantize(unit, ROUND_DOWN) for rate, share in exact.items()}
    left = amount - sum(shares.values(), ZERO)
    for rate in sorted(exact, key=lambda rate: (exact[rate] - shares[rate], rate), reverse=True):
        part = min(unit, left)
        shares[rate] += part
        left -= part
    return shares


def order_taxes(order: Order, lines: Iterable[Line]) -> list[Split]:
    """Return net and tax of an order, whose `lines` these are: see `taxes_of`."""
    return taxes_of(lines, delivery=order.delivery_total, currency=order.currency)


def taxes_of(lines: Iterable[Line], *, delivery: Decimal, currency: str) -> list[Split]:
    """Return net and tax of an order's lines and delivery for each rate, the highest first.

    Empty if the rate of a line isn't known. The sum of all net and tax is what the lines and the
    delivery cost.
    """
    unit = unit_of(currency)
    gross: dict[Decimal, Decimal] = {}
    for line in lines:
        if line.tax_rate is None:
            return []
        gross[line.tax_rate] = gross.get(line.tax_rate, ZERO) + line.charged
    if delivery and gross:
        for rate, share in shared(delivery, gross, unit=unit).items():
            gross[rate] = gross.get(rate, ZERO) + share
    return by_rate(split(gross.items(), unit=unit))
