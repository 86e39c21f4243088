"""What a voucher takes off: an amount or a percentage, shared so that every sum agrees."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders.models import OrderLine, Voucher
from orders.taxes.splitting import TaxedLine, taxes_of, unit_of
from orders.vouchers.discount import (
    DiscountedLine,
    discount_for_next,
    discounts_of,
    plain_code,
)
from orders.vouchers.refusal import Refusal

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLACES = {"JPY": 0, "EUR": 2, "KWD": 3}
currencies = st.sampled_from(sorted(PLACES))


def voucher(**fields: Any) -> Voucher:
    return Voucher(**{"code": "SPRING", "kind": "percent", "value": Decimal(10), **fields})


def off(given: Voucher, *totals: str, category: int = 1, currency: str = "EUR") -> list[str]:
    lines = [DiscountedLine(Decimal(total), category) for total in totals]
    return [str(each) for each in discounts_of(given, lines, currency=currency, now=NOW)]


def refusal(given: Voucher, *totals: str, category: int = 1) -> str:
    with pytest.raises(Refusal) as refused:
        off(given, *totals, category=category)
    return refused.value.reason


def test_a_percentage_is_rounded_once_and_shared() -> None:
    assert off(voucher(value=Decimal(10)), "9.99", "0.06") == ["1.00", "0.01"]
    assert off(voucher(value=Decimal(100)), "9.99", "0.06") == ["9.99", "0.06"]
    yen = off(voucher(value=Decimal(10)), "999", "6", currency="JPY")
    assert [Decimal(each) for each in yen] == [100, 1]


def test_an_amount_takes_off_at_most_what_its_products_cost() -> None:
    assert off(voucher(kind="amount", value=Decimal(5)), "20.00", "30.00") == ["2.00", "3.00"]
    assert off(voucher(kind="amount", value=Decimal(50)), "20.00") == ["20.00"]


def test_only_its_categorys_products_get_cheaper() -> None:
    lines = [DiscountedLine(Decimal("10.00"), 1), DiscountedLine(Decimal("10.00"), 2)]
    mine = discounts_of(voucher(category_id=2), lines, currency="EUR", now=NOW)

    assert mine == [Decimal("0.00"), Decimal("1.00")]
    assert refusal(voucher(category_id=2), "10.00") == "nothing"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"is_active": False}, "ended"),
        ({"ends_at": NOW}, "ended"),
        ({"starts_at": NOW + HOUR}, "not_started"),
        ({"limit": 2, "used": 2}, "used_up"),
        ({"minimum": Decimal("10.01")}, "minimum"),
    ],
)
def test_why_it_takes_off_nothing(fields: dict[str, Any], reason: str) -> None:
    assert refusal(voucher(**fields), "10.00") == reason


def test_within_its_time_and_minimum_it_counts() -> None:
    fields = {"starts_at": NOW - HOUR, "ends_at": NOW + HOUR, "minimum": Decimal("10.00")}

    assert off(voucher(**fields, limit=3, used=2), "10.00") == ["1.00"]


def test_a_code_is_one_however_it_is_typed() -> None:
    assert {plain_code(typed) for typed in ("spring-26", " SPRING-26 ", "Spring -26")} == {
        "SPRING-26"
    }


@st.composite
def baskets(draw: st.DrawFn) -> tuple[str, list[tuple[Decimal, int]], Voucher]:
    """Return a currency, lines of (unit price, quantity), and a voucher."""
    currency = draw(currencies)
    places = PLACES[currency]
    price = st.decimals(0, 10_000, places=places)
    lines = draw(st.lists(st.tuples(price, st.integers(1, 50)), min_size=1, max_size=6))
    kind = draw(st.sampled_from(["amount", "percent"]))
    value = draw(st.decimals(Decimal("0.01"), 100, places=2))
    if kind == "amount":
        value = max(value.quantize(unit_of(currency)), unit_of(currency))
    return currency, lines, voucher(kind=kind, value=value)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(baskets(), st.lists(st.sampled_from(["19", "7", "0"]), min_size=6, max_size=6))
def test_all_sums_agree_with_the_total(
    basket: tuple[str, list[tuple[Decimal, int]], Voucher], rates: list[str]
) -> None:
    currency, lines, given_voucher = basket
    unit = unit_of(currency)
    totals = [price * quantity for price, quantity in lines]
    if not sum(totals):
        return
    sold = [DiscountedLine(total, 1) for total in totals]

    discounts = discounts_of(given_voucher, sold, currency=currency, now=NOW)

    assert all(0 <= each <= total for each, total in zip(discounts, totals, strict=True))
    assert all(each % unit == 0 for each in discounts)
    charged = [total - each for total, each in zip(totals, discounts, strict=True)]
    taxed = [TaxedLine(each, Decimal(rate)) for each, rate in zip(charged, rates, strict=False)]
    parts = taxes_of(taxed, delivery=Decimal(5), currency=currency)
    assert sum(part.net + part.tax for part in parts) == sum(charged) + 5


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    currencies,
    st.integers(1, 40),
    st.decimals(0, 5000, places=3),
    st.lists(st.integers(1, 7), min_size=1),
)
def test_refunds_of_some_units_together_give_back_the_discount(
    currency: str, quantity: int, discount: Decimal, counts: list[int]
) -> None:
    unit = unit_of(currency)
    discount = discount.quantize(unit)
    line = OrderLine(quantity=quantity, discount=discount)
    given_back = Decimal(0)
    for count in [*counts, quantity]:
        count = min(count, quantity - line.refunded)
        given_back += discount_for_next(line, count, unit=unit)
        line.refunded += count

    assert line.refunded == quantity
    assert given_back == discount
