"""Cleaning of texts from outside."""

import pytest

from project.text import clean, clean_json


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Grüße, 你好 👩🏽‍🚀", "Grüße, 你好 👩🏽‍🚀"),
        ("a\tb\r\nc\rd", "a\tb\nc\nd"),
        ("a\x00b\x07c\x1bd\x7fe\x9bf", "abcdef"),
        ("a\ud800b\udfffc", "abc"),
        ("a\u202eb\u2066c", "abc"),
        ("a\ufffeb\uffff", "ab"),
    ],
)
def test_a_text_loses_what_no_text_has_and_keeps_the_rest(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned
    assert clean_json({text: [text, 1, None]}) == {cleaned: [cleaned, 1, None]}
    cleaned.encode()


def test_a_text_is_cut_after_it_was_cleaned() -> None:
    assert clean("\x00" * 9 + "abcdef", longest=3) == "abc"
    assert len(clean("x" * 10**6)) == 2000
