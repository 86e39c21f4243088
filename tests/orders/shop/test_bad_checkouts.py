"""A checkout that isn't an order never becomes one, and never an error page."""

import re
from typing import Any

import pytest
from django.test import Client

from orders.models import Order
from tests.orders.shop.pages import ADDRESS, Response, cart_of, hidden_fields, send, text_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "\t "}, "name"),
        ({"name": "x" * 1_000_000}, "name"),
        ({"name": "A\x00da"}, "name"),
        ({"name": "A\x1bda"}, "name"),
        ({"email": ""}, "email"),
        ({"email": "ada"}, "email"),
        ({"email": "ada@\x00example.org"}, "email"),
        ({"email": "a" * 300 + "@example.org"}, "email"),
        ({"phone": "12"}, "phone"),
        ({"phone": "call me"}, "phone"),
        ({"phone": "1" * 10_000}, "phone"),
        ({"handover": "delivery", **ADDRESS, "line1": ""}, "line1"),
        ({"handover": "delivery", **ADDRESS, "city": "Ki\x00el"}, "city"),
        ({"handover": "delivery", **ADDRESS, "postcode": "x" * 21}, "postcode"),
        ({"handover": "delivery", **ADDRESS, "country": "XX"}, "country"),
        ({"handover": "delivery", **ADDRESS, "country": ""}, "country"),
    ],
)
def test_an_error_is_told_at_its_field(
    client: Client, form: Response, change: dict[str, str], field: str
) -> None:
    answer = send(client, form, **change)

    page = answer.content.decode()
    assert answer.status_code == 200
    assert f'<ul class="errorlist" id="id_{field}_error">' in page
    assert f'<a href="#id_{field}">' in page
    assert re.search(rf'aria-describedby="[^"]*id_{field}_error"', page)
    assert not Order.objects.exists()
    assert cart_of(client) == {"MUG": 2}


@pytest.mark.parametrize(
    "change",
    [
        {"key": ""},
        {"key": "short"},
        {"key": "x" * 129},
        {"key": "ключ-ключ-ключ-ключ"},
        {"line": []},
        {"line": "MUG"},
        {"line": "0 MUG"},
        {"line": "-1 MUG"},
        {"line": "1000 MUG"},
        {"line": "9" * 5_000 + " MUG"},
        {"line": "1 \x00"},
        {"line": "1 "},
        {"line": "² MUG"},
        {"line": "1 " + "x" * 100_000},
        {"line": ["1 MUG"] * 101},
        {"expected_total": ""},
        {"expected_total": "NaN"},
        {"expected_total": "1e999999"},
        {"expected_total": "\x00"},
        {"expected_total": "9" * 5_000},
        {"handover": "drone"},
    ],
)
def test_a_form_that_is_not_ours_orders_nothing(
    client: Client, form: Response, change: dict[str, Any]
) -> None:
    answer = send(client, form, **change)

    assert answer.status_code == 200
    assert hidden_fields(answer)["line"] == ["2 MUG"]
    assert not Order.objects.exists()


def test_bytes_that_are_no_text_are_survived(client: Client, form: Response) -> None:
    answer = client.post(
        "/checkout/",
        b"name=%ed%a0%80%ff&email=%ed%bf%bf&key=%ff&line=%ed%a0%80&adjust=%ed%a0%80%20%ff",
        content_type="application/x-www-form-urlencoded",
    )

    assert client.get(answer.headers["Location"]).status_code == 200
    assert not Order.objects.exists()


def test_a_body_of_megabytes_is_refused_kindly(client: Client, form: Response) -> None:
    answer = send(client, form, name="x" * 5_000_000)

    assert answer.status_code == 413
    assert "That was too much at once" in text_of(answer)
    assert not Order.objects.exists()
    assert cart_of(client) == {"MUG": 2}


@pytest.mark.parametrize("adjust", ["", "x", "-1 MUG", "99999 MUG", "1 NOPE", "1 \x00", "²\x20MUG"])
def test_a_strange_adjustment_changes_nothing(client: Client, form: Response, adjust: str) -> None:
    answer = send(client, form, adjust=adjust)

    assert answer.status_code == 200
    assert cart_of(client) == {"MUG": 2}
