"""The one form of an e-mail address."""

import pytest

from project.email_addresses import (
    InvalidAddressError,
    ascii_domain,
    canonical_address,
    deliverable_address,
    readable_address,
)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("Ada@EXAMPLE.org", "Ada@example.org"),
        ("ada\u200b@exam\u00adple.org", "ada@example.org"),
        ("\ufeffada@example.org\u200d", "ada@example.org"),
        ("a\u200dd\ufe0fa@example.org", "ada@example.org"),
        ("ａｄａ＠ｅｘａｍｐｌｅ．ｏｒｇ", "ada@example.org"),
        ("ada@example。org", "ada@example.org"),
        ("ada@münchen.example", "ada@xn--mnchen-3ya.example"),
        ("ada@mu\u0308nchen.example", "ada@xn--mnchen-3ya.example"),
        ("ada@XN--MNCHEN-3YA.example", "ada@xn--mnchen-3ya.example"),
        ("ada@例子.example", "ada@xn--fsqu00a.example"),
        ("ada@[192.0.2.1]", "ada@[192.0.2.1]"),
        ("admin@localhost", "admin@localhost"),
        ('"a b"@example.org', '"a b"@example.org'),
    ],
)
def test_each_spelling_of_a_mailbox_becomes_one_and_stays_so(typed: str, address: str) -> None:
    assert canonical_address(typed) == address
    assert canonical_address(address) == address


@pytest.mark.parametrize(
    ("domain", "encoded"),
    [
        ("straße.example", "xn--strae-oqa.example"),
        ("STRAẞE.example", "xn--strae-oqa.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("βόλος.example", "xn--nxasmm1c.example"),
        ("نامه\u200cای.example", "xn--mgba3gch31f060k.example"),
        ("क्\u200dष.example", "xn--11b2ezcw70k.example"),
        ("strasse.example", "strasse.example"),
    ],
)
def test_a_domain_is_not_taken_for_another_one_that_resembles_it(domain: str, encoded: str) -> None:
    assert ascii_domain(domain) == encoded


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ada",
        "@example.org",
        "ada@ab\u200dc.example",  # a joiner that no script needs there
        "ada@i❤.example",  # IDNA 2008 has no symbols
        "ada@xn--ls8h.example",
        "ada@mü..example",
        "mıke@example.org",  # its capital is an I
        "\u017fam@example.org",  # its capital is an S
        "ﬁona@example.org",
        "\u202eada@example.org",
        "ada@exam\u202eple.org",
    ],
)
def test_an_address_that_could_be_another_one_is_refused(typed: str) -> None:
    with pytest.raises(InvalidAddressError):
        canonical_address(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "ada@localhost",
        "ada@LOCALHOST",
        "ada@mail",
        "ada@[127.0.0.1]",
        "ada@[IPv6:::1]",
        f"{'a' * 65}@example.org",
        f"{'a' * 30}@{'.'.join(['ü' * 50] * 4)}.example",
        r'"a\ b"@example.org',
        "a\x01b@example.org",
        "ada..b@example.org",
        "ada@exa_mple.org",
    ],
)
def test_an_address_that_no_mail_reaches_is_refused(typed: str) -> None:
    with pytest.raises(InvalidAddressError):
        deliverable_address(typed)


def test_a_long_address_within_the_limits_is_taken_in_its_one_form() -> None:
    local = "A" * 64

    assert deliverable_address(f" {local}@MÜNCHEN.example") == f"{local}@xn--mnchen-3ya.example"


def test_a_stored_address_is_shown_in_its_own_script() -> None:
    assert readable_address("Ada@xn--strae-oqa.example") == "Ada@straße.example"
    assert readable_address("ada@xn--.example") == "ada@xn--.example"
