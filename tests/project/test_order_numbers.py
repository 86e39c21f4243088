"""Order numbers as people write them."""

import pytest

from project.order_numbers import digits_of, order_number


@pytest.mark.parametrize(
    "text",
    [
        *("1023", "T1023", "t 1023", "#T1023", "No. T1023", "№ 1023", "Nr. 1 023", "order #1023"),
        *("Ｔ１０２３", "＃１０２３", "订单号：T1023", "Order number: T1023"),
    ],
)
def test_a_number_is_found_in_its_spellings(text: str) -> None:
    assert digits_of(text) == order_number(text) == 1023


@pytest.mark.parametrize("text", ["", "T", "Ada", "Bob 7", "+49 431 1023", "ada1@example.org"])
def test_other_words_are_not_an_order_number(text: str) -> None:
    assert order_number(text) is None


@pytest.mark.parametrize("text", ["", "T", "Ada", "9" * 19])
def test_a_text_without_digits_or_with_too_many_is_no_number(text: str) -> None:
    assert digits_of(text) is None
