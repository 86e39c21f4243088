"""Net and tax of amounts and orders: all sums agree with the total, to the currency's unit."""

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.taxes.splitting import (
    ZERO,
    Split,
    TaxedLine,
    by_rate,
    net_of,
    shared,
    split,
    taxes_of,
    unit_of,
)

CURRENCIES = ["JPY", "EUR", "KWD"]  # of 0, 2 and 3 decimal places
RATES = st.decimals(0, "99.999", places=3)
FEW_RATES = st.sampled_from([Decimal(text) for text in ("0", "7", "7.7", "19", "99.999")])


@st.composite
def amounts_in(draw: st.DrawFn) -> tuple[str, list[tuple[Decimal, Decimal]]]:
    """A currency, and amounts in it, each with its rate."""
    currency = draw(st.sampled_from(CURRENCIES))
    places = -int(unit_of(currency).as_tuple().exponent)
    amount = st.decimals(0, 100_000, places=places)
    return currency, draw(st.lists(st.tuples(FEW_RATES, amount), max_size=40))


def exact(part: Split) -> Decimal:
    return part.gross * 100 / (100 + part.rate)


@given(amounts_in())
def test_the_parts_add_up_to_the_total_s_net_and_tax(
    given_: tuple[str, list[tuple[Decimal, Decimal]]],
) -> None:
    currency, amounts = given_
    parts = split(amounts, unit=unit_of(currency))

    assert [(part.rate, part.gross) for part in parts] == amounts
    for whole in by_rate(parts):
        mine = [part for part in parts if part.rate == whole.rate]
        assert whole.net == net_of(whole.gross, rate=whole.rate, unit=unit_of(currency))
        assert whole.net + whole.tax == whole.gross
        assert sum((part.net for part in mine), ZERO) == whole.net
        assert sum((part.tax for part in mine), ZERO) == whole.tax


@given(amounts_in())
def test_each_part_is_at_most_a_unit_from_its_exact_net(
    given_: tuple[str, list[tuple[Decimal, Decimal]]],
) -> None:
    currency, amounts = given_
    parts = split(amounts, unit=unit_of(currency))

    assert all(abs(part.net - exact(part)) <= unit_of(currency) for part in parts)
    assert all(part.net + part.tax == part.gross for part in parts)
    assert all(part.net >= 0 and part.tax >= 0 for part in parts)


@given(amounts_in(), st.integers(0, 40))
def test_credit_notes_together_have_the_net_of_what_they_credit(
    given_: tuple[str, list[tuple[Decimal, Decimal]]], cut: int
) -> None:
    currency, amounts = given_
    unit = unit_of(currency)
    first = split(amounts[:cut], unit=unit)
    earlier = {part.rate: part.gross for part in by_rate(first)}
    second = split(amounts[cut:], unit=unit, earlier=earlier)

    whole = by_rate(split(amounts, unit=unit))
    assert by_rate([*first, *second]) == whole


@given(
    st.sampled_from(CURRENCIES),
    st.integers(0, 10**6),
    st.dictionaries(RATES, st.integers(0, 10**6).map(Decimal), min_size=1, max_size=6),
)
def test_a_delivery_is_shared_in_proportion_and_all_of_it(
    currency: str, units: int, goods: dict[Decimal, Decimal]
) -> None:
    unit = unit_of(currency)
    amount = units * unit
    shares = shared(amount, goods, unit=unit)

    assert sum(shares.values(), ZERO) == amount
    assert all(share >= 0 and share % unit == 0 for share in shares.values())
    if whole := sum(goods.values(), ZERO):
        for rate, share in shares.items():
            assert abs(share - amount * goods[rate] / whole) < unit


def test_the_delivery_of_goods_that_cost_nothing_has_their_highest_rate() -> None:
    goods = {Decimal(7): ZERO, Decimal(19): ZERO}

    assert shared(Decimal("4.90"), goods, unit=Decimal("0.01")) == {Decimal(19): Decimal("4.90")}


@given(amounts_in(), st.integers(0, 10**5))
def test_an_order_s_net_and_tax_is_its_total(
    given_: tuple[str, list[tuple[Decimal, Decimal]]], units: int
) -> None:
    currency, amounts = given_
    delivery = units * unit_of(currency)
    lines = [TaxedLine(total, rate) for rate, total in amounts]

    taxes = taxes_of(lines, delivery=delivery, currency=currency)

    if lines:
        total = sum((line.charged for line in lines), delivery)
        assert sum((part.net + part.tax for part in taxes), ZERO) == total
    assert [part.rate for part in taxes] == sorted({rate for rate, _total in amounts}, reverse=True)
    assert max(Counter(part.rate for part in taxes).values(), default=1) == 1


def test_an_order_with_a_line_of_an_unknown_rate_has_no_taxes() -> None:
    lines = [TaxedLine(Decimal(5), Decimal(19)), TaxedLine(Decimal(5), None)]

    assert taxes_of(lines, delivery=ZERO, currency="EUR") == []


@pytest.mark.parametrize(
    ("gross", "rate", "unit", "net"),
    [
        ("119.00", "19", "0.01", "100.00"),
        ("0.01", "19", "0.01", "0.01"),
        ("1.07", "7", "0.01", "1.00"),
        ("5", "0", "0.01", "5"),
        ("110", "10", "1", "100"),
        ("109", "10", "1", "99"),
        ("1.050", "5", "0.001", "1.000"),
    ],
)
def test_a_net_is_rounded_half_up_to_the_unit(gross: str, rate: str, unit: str, net: str) -> None:
    assert net_of(Decimal(gross), rate=Decimal(rate), unit=Decimal(unit)) == Decimal(net)
