"""One row, parsed strictly."""

from decimal import Decimal

import pytest

from orders.imports.errors import RowRefusedError
from orders.imports.rows import PictureCell, Row, parse_row
from orders.imports.table import RawRow
from tests.orders.imports.packages import mug


def parsed(**changes: str) -> Row:
    return parse_row(RawRow(2, mug(**changes)))


def test_a_row_is_read_with_its_types() -> None:
    row = parsed(on_sale="no", description="Two\nlines", weight="450")

    assert (row.price, row.stock, row.on_sale) == (Decimal("12.30"), 7, False)
    assert (row.description, row.weight) == ("Two\nlines", 450)


def test_what_the_table_does_not_say_is_none() -> None:
    row = parse_row(RawRow(2, {"sku": "MUG", "price": "", "stock": ""}))

    assert row == Row(2, "MUG", None, None, None, None, None, None, None, None, None, ())


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("weight", "0.45", "isn't a whole number of grams"),
        ("weight", "1000001", "isn't a whole number of grams"),
        ("price", "12,30", "price: write “12.30” instead of “12,30”"),
        ("price", "1.234,50", "isn't a price; write it like 12.30"),
        ("price", "€12.30", "isn't a price"),
        ("price", "12.305", "isn't a price"),
        ("price", "-1", "isn't a price"),
        ("price", "1e3", "isn't a price"),
        ("price", "NaN", "isn't a price"),
        ("price", "١٢", "isn't a price"),
        ("stock", "7.5", "stock: “7.5” isn't a whole number"),
        ("stock", "-1", "isn't a whole number"),
        ("stock", "1000001", "isn't a whole number"),
        ("on_sale", "maybe", "on sale: “maybe” is neither yes nor no"),
        ("sku", "", "sku: is missing"),
        ("sku", "M" * 41, "sku: has 41 characters; 40 at most"),
        ("name", "Blue\x00mug", "name: has a control character"),
        ("name", "Blue\u202emug", r"name: has a character that isn't allowed \(U\+202E RIGHT-TO"),
        ("description", "Blue\u2066mug", "description: has a character that isn't allowed"),
        ("alt", "A\u202emug", "alt: has a character that isn't allowed"),
        ("alt", "A mug", "alt: there is a text without a picture"),
        ("alt", "A mug|Another", "more texts than there are pictures"),
    ],
)
def test_what_is_doubtful_is_refused_with_its_column(column: str, text: str, reason: str) -> None:
    with pytest.raises(RowRefusedError, match=reason):
        parsed(**{column: text})


def test_all_faults_of_a_row_are_named_at_once() -> None:
    with pytest.raises(RowRefusedError, match=r"price: .*; stock: "):
        parsed(price="12,30", stock="many")


def test_a_cell_too_many_is_refused() -> None:
    with pytest.raises(RowRefusedError, match="more cells than the header"):
        parse_row(RawRow(2, mug(), surplus=True))


def test_pictures_stand_in_one_column_or_in_several() -> None:
    in_one = parsed(pictures="a.jpg | b.jpg", alt="A|B").pictures
    in_several = parsed(picture_1="a.jpg", alt_1="A", picture_2="b.jpg", alt_2="B").pictures

    assert in_one == in_several == (PictureCell("a.jpg", "A"), PictureCell("b.jpg", "B"))


@pytest.mark.parametrize("text", ["13.049999999999999", "13.05000000000001", "13.050"])
def test_a_price_that_no_float_has_is_the_one_that_was_meant(text: str) -> None:
    assert parsed(price=text).price == Decimal("13.05")


def test_a_doubtful_cell_refuses_its_row_once() -> None:
    doubtful = RawRow(2, mug(sku="#N/A"), doubts={"sku": "is an error"})

    with pytest.raises(RowRefusedError) as refused:
        parse_row(doubtful)

    assert str(refused.value) == "sku: is an error"
