"""The text of a key: recognised without a query, and never shown by itself."""

import hashlib
import re

import pytest

from orders.clients.secret import PATTERN, Secret, new_secret, read_secret


def test_a_key_is_what_scanners_look_for() -> None:
    secret = new_secret()

    assert re.fullmatch(PATTERN, secret.text)
    assert secret.text.startswith(secret.prefix)
    assert len(secret.prefix) == len("tdm_") + 8


def test_no_two_keys_are_the_same() -> None:
    assert len({new_secret().text for _number in range(1000)}) == 1000


def test_a_key_is_read_as_it_was_made() -> None:
    secret = new_secret()

    assert read_secret(secret.text) == secret
    assert secret.digest == hashlib.sha256(secret.text.encode()).digest()


@pytest.mark.parametrize("text", ["", "tdm_", "nope", "tdm_12345678_" + "a" * 38, "ключ", "\x00"])
def test_what_no_shop_made_is_none(text: str) -> None:
    assert read_secret(text) is None


def test_one_wrong_letter_is_found_by_the_checksum() -> None:
    text = new_secret().text
    place = 20
    other = "a" if text[place] != "a" else "b"

    assert read_secret(text[:place] + other + text[place + 1 :]) is None


def test_a_traceback_shows_only_the_beginning() -> None:
    secret = new_secret()

    assert repr(secret) == f"Secret({secret.prefix}…)"
    assert secret.text not in repr(Secret(secret.text))
