"""Shoppers read dates and times as people of their language write them, on every page."""

import re
from pathlib import Path
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client

from orders.models import User
from tests.factories import add_product
from tests.orders.shop.pages import add, text_of

TEMPLATES = Path(__file__).parents[3] / "orders/templates"
ROOMS = ("account", "accounts", "allauth", "mfa", "shop", "usersessions")


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", r"[A-Z][a-z]+\.? \d{1,2}, \d{4}, (\d{1,2}(:\d\d)? [ap]\.m\.|noon|midnight)"),
        ("zh-hans", r"\d{4}年\d{1,2}月\d{1,2}日 \d\d:\d\d"),
    ],
)
@pytest.mark.django_db
def test_a_session_began_at_a_time_as_its_reader_writes_it(language: str, says: str) -> None:
    client, ada = Client(), User.objects.create_user("ada", "ada@example.org", language=language)
    client.force_login(ada)
    UserSession.objects.create(
        user=ada, session_key=client.session.session_key, ip="192.0.2.1", user_agent="A browser"
    )
    client.cookies["django_language"] = language

    page = client.get("/accounts/sessions/")

    assert re.search(says, text_of(page))


@pytest.mark.django_db(transaction=True, databases=["default", "writer"])
@pytest.mark.usefixtures("writers")
def test_the_checkouts_clock_ends_at_a_time_as_its_reader_writes_it(client: Client) -> None:
    add_product("MUG", stock=5)
    add(client, "MUG")

    answer: Any = client.post("/checkout/hold/", headers={"HX-Request": "true"})

    assert re.search(r"until (\d{1,2}(:\d\d)? [ap]\.m\.|noon|midnight)(?!\.)", text_of(answer))


def test_no_page_of_a_shopper_writes_times_as_the_desk_does() -> None:
    iso = {
        f"{path.parent.name}/{path.name}: {found}"
        for room in ROOMS
        for path in (TEMPLATES / room).rglob("*.html")
        for found in re.findall(r"\|(?:date|time)\b(?!:.c.)[^ %}]*", path.read_text())
    }

    assert iso == set()


def test_no_full_stop_follows_the_one_of_a_time() -> None:
    """A time ends in "p.m."."""
    said = re.compile(
        r"\b(\w+)=[^ %]*\|reader_(?:time|clock)\b.*?%}.*?\{\{ \1 \}\}(\.?)", re.DOTALL
    )
    texts = "".join(
        path.read_text() for room in ROOMS for path in (TEMPLATES / room).rglob("*.html")
    )

    assert [stop for _name, stop in said.findall(texts)] == [""] * len(said.findall(texts))
