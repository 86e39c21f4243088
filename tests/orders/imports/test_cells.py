"""Texts that can't be what was typed."""

import re

import pytest

from orders.imports.cells import doubt_of


@pytest.mark.parametrize("column", ["sku", "name", "category", "pictures", "picture 2"])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("#N/A", "is an error of the spreadsheet"),
        ("#REF!", "is an error"),
        ("#DIV/0!", "is an error"),
        ("########", "is an error"),
        ("Err:508", "is an error"),
        ("TRUE", "is TRUE, which is no text"),
        ("4.00638E+12", "is a shortened number; format the column as text and type all digits"),
        ("4,00638E+12", "is a shortened number"),
        ("1-Mar", "is a date"),
        ("Mar-26", "is a date"),
        ("2026-03-01 00:00:00", "is a date"),
        ("01. Mrz", "is a date"),
        ("Mrz 24", "is a date"),
        ("3月4日", "is a date"),
        ("2026年3月", "is a date"),
        ("#NV", "is an error"),
        ("#WERT!", "is an error"),
        ("#NOM?", "is an error"),
        ("#¡REF!", "is an error"),
        ("WAHR", "is WAHR, which is no text"),
        ("MUG\u200b", r"invisible character \(U\+200B ZERO WIDTH SPACE\); delete the cell"),
        ("M\u00adUG", "SOFT HYPHEN"),
        ("\ufeffMUG", "ZERO WIDTH NO-BREAK SPACE"),
        ("MUG\u3164", "HANGUL FILLER"),
    ],
)
def test_a_doubtful_text_says_what_to_do(column: str, text: str, reason: str) -> None:
    assert re.search(reason, doubt_of(text, column=column))


@pytest.mark.parametrize("column", ["price", "stock", "on sale", "description", "alt"])
def test_an_error_is_doubtful_everywhere(column: str) -> None:
    assert "is an error" in doubt_of("#VALUE!", column=column)


@pytest.mark.parametrize(
    "text",
    [
        "MUG",
        "3E12",
        "10-20-30",
        "MAR-15",
        "True",
        "#1 mug",
        "# mug",
        "蓝色马克杯",
        "00123",
        "12月",
        "#NVX",
        "Mrz",
    ],
)
def test_usual_article_numbers_and_names_are_taken(text: str) -> None:
    assert doubt_of(text, column="sku") == doubt_of(text, column="name") == ""


def test_a_joiner_belongs_to_names_and_to_no_article_number() -> None:
    family = "\U0001f468\u200d\U0001f469"

    assert doubt_of(family, column="name") == ""
    assert "ZERO WIDTH JOINER" in doubt_of(family, column="sku")


def test_a_description_may_speak_of_dates_and_numbers() -> None:
    assert doubt_of("1-Mar", column="description") == ""
    assert doubt_of("4.00638E+12", column="description") == ""
