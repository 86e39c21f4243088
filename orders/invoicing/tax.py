"""The tax that prices include, split so that the lines add up to the total to the cent."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


@dataclass(frozen=True)
class Split:
    gross: Decimal
    net: Decimal
    tax: Decimal


def split(
    amounts: Iterable[Decimal], *, rate: Decimal, earlier: Decimal = ZERO
) -> tuple[list[Split], Split]:
    """Split gross amounts into net and tax; return the parts, and their sum.

    The net of all is the gross of all divided by 1 + rate %, rounded half up to the cent. Each
    amount's net is the difference of two such sums: with it and without it. So the parts add up to
    the rounded sum, and each is less than a cent from its exact value.

    `earlier` is what was split before. Credit notes begin where the one before them ended, so that
    all of an invoice's together have its net and its tax.
    """
    gross = earlier
    parts = []
    for amount in amounts:
        net = net_of(gross + amount, rate=rate) - net_of(gross, rate=rate)
        parts.append(Split(gross=amount, net=net, tax=amount - net))
        gross += amount
    return parts, Split(
        gross=sum((part.gross for part in parts), ZERO),
        net=sum((part.net for part in parts), ZERO),
        tax=sum((part.tax for part in parts), ZERO),
    )


def net_of(gross: Decimal, *, rate: Decimal) -> Decimal:
    """Return the gross amount without its tax, rounded half up to the cent."""
    return (gross * 100 / (100 + rate)).quantize(CENT, ROUND_HALF_UP)
