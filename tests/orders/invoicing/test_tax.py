"""Net and tax of each line, and their sums: to the cent, whatever the amounts."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.invoicing.tax import ZERO, net_of, split

AMOUNTS = st.lists(st.decimals(0, 100_000, places=2), max_size=60)
RATES = st.decimals(0, "99.999", places=3)
CENT = Decimal("0.01")


@given(AMOUNTS, RATES)
def test_the_lines_add_up_to_the_total_s_net_and_tax(amounts: list[Decimal], rate: Decimal) -> None:
    parts, whole = split(amounts, rate=rate)

    assert whole.gross == sum(amounts, ZERO)
    assert whole.net == net_of(whole.gross, rate=rate)
    assert whole.net + whole.tax == whole.gross
    assert sum((part.net for part in parts), ZERO) == whole.net
    assert sum((part.tax for part in parts), ZERO) == whole.tax


@given(AMOUNTS, RATES)
def test_each_line_is_less_than_a_cent_from_its_exact_net(
    amounts: list[Decimal], rate: Decimal
) -> None:
    parts, _whole = split(amounts, rate=rate)

    assert all(abs(part.net - part.gross * 100 / (100 + rate)) <= CENT for part in parts)
    assert all(part.net + part.tax == part.gross for part in parts)
    assert all(part.net >= 0 and part.tax >= 0 for part in parts)


@given(AMOUNTS, AMOUNTS, RATES)
def test_credit_notes_together_have_the_net_of_what_they_credit(
    first: list[Decimal], second: list[Decimal], rate: Decimal
) -> None:
    _parts, one = split(first, rate=rate)
    _parts, other = split(second, rate=rate, earlier=one.gross)
    _parts, whole = split(first + second, rate=rate)

    assert one.net + other.net == whole.net
    assert one.tax + other.tax == whole.tax


@pytest.mark.parametrize(
    ("gross", "rate", "net"),
    [("119.00", "19", "100.00"), ("0.01", "19", "0.01"), ("1.07", "7", "1.00"), ("5", "0", "5")],
)
def test_a_net_is_rounded_half_up(gross: str, rate: str, net: str) -> None:
    assert net_of(Decimal(gross), rate=Decimal(rate)) == Decimal(net)
