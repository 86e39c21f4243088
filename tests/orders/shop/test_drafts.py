"""A checkout form that became no order: nothing typed is lost, and Back meets no dead page."""

import re
from typing import Any

import pytest
from django.test import Client

from orders.models import CheckoutDraft, Order, User
from orders.placing.errors import OutcomeUnknown, ShopBusy
from orders.placing.placement import place_order
from project.admission.refusal import refused
from tests.factories import add_product
from tests.orders.shop.pages import (
    ADDRESS,
    SHOPPER,
    Response,
    add,
    cart_of,
    hidden_fields,
    send,
    text_of,
)

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]


def post(client: Client, page: Response, **changes: Any) -> Response:
    return client.post("/checkout/", {**hidden_fields(page), **SHOPPER, **changes})


def test_a_refused_form_is_a_page_that_can_be_loaded_again(client: Client, form: Response) -> None:
    answer = post(client, form, name="Zoë", email="zoe")

    assert answer.status_code == 302
    for _reload in range(2):
        page = client.get(answer.headers["Location"])
        assert 'value="Zoë"' in page.content.decode()
        assert 'value="zoe"' in page.content.decode()
        assert "Enter a valid e-mail address" in text_of(page)
    elsewhere = client.get("/checkout/").content.decode()  # Back, or a visit to the cart
    assert 'value="Zoë"' in elsewhere
    assert "Enter a valid e-mail address" not in elsewhere


def test_back_after_placing_leads_to_the_order(client: Client, form: Response) -> None:
    refused = post(client, form, email="zoe").headers["Location"]
    send(client, client.get(refused), email="zoe@example.org")

    order = f"/orders/{Order.objects.get().pk}/"
    assert client.get("/checkout/").headers["Location"] == order
    assert client.get(refused).headers["Location"] == order
    assert f'href="{order}"' in client.get("/cart/").content.decode()
    assert not CheckoutDraft.objects.exists()


def test_a_form_without_a_valid_token_comes_back_filled_in_and_changes_nothing(
    form: Response, client: Client
) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = client.cookies

    answer = post(browser, form, name="Zoë")

    page = browser.get(answer.headers["Location"])
    assert "perhaps because you signed in or out since it was opened" in text_of(page)
    assert "Everything you typed is still here." in text_of(page)
    assert 'value="Zoë"' in page.content.decode()
    assert hidden_fields(page)["key"] == hidden_fields(form)["key"]
    assert not Order.objects.exists()
    # Another site may have sent it: it fills in no other page.
    assert 'value="Zoë"' not in browser.get("/checkout/").content.decode()
    token = re.findall(r'name="csrfmiddlewaretoken"\s+value="([^"]+)"', page.content.decode())[-1]
    post(browser, page, name="Zoë", csrfmiddlewaretoken=token)
    assert Order.objects.get().name == "Zoë"


def test_a_lost_session_loses_neither_the_lines_nor_what_was_typed(
    client: Client, form: Response
) -> None:
    client.cookies.clear()

    refused = send(client, form, name="Zoë", email="zoe")
    assert 'value="Zoë"' in refused.content.decode()
    assert hidden_fields(refused)["line"] == ["2 MUG"]
    assert cart_of(client) == {"MUG": 2}

    send(client, refused, name="Zoë")
    assert Order.objects.get().name == "Zoë"
    assert cart_of(client) == {}


def test_deleted_cookies_are_told_as_that_and_lose_nothing(form: Response) -> None:
    browser = Client(enforce_csrf_checks=True)

    page = browser.get(post(browser, form, name="Zoë").headers["Location"])

    assert "doesn’t have this shop’s cookies any more" in text_of(page)
    assert "open for long" not in text_of(page)
    assert 'value="Zoë"' in page.content.decode()
    assert hidden_fields(page)["line"] == ["2 MUG"]
    token = re.findall(r'name="csrfmiddlewaretoken"\s+value="([^"]+)"', page.content.decode())[-1]
    post(browser, page, name="Zoë", csrfmiddlewaretoken=token)
    assert Order.objects.get().name == "Zoë"


def test_lines_of_an_old_form_dont_come_back_into_an_empty_cart(
    client: Client, form: Response
) -> None:
    send(client, form)

    answer = post(client, form, email="zoe")

    assert answer.headers["Location"] == f"/orders/{Order.objects.get().pk}/"
    assert cart_of(client) == {}


def test_a_rush_waits_on_a_page_that_tells_how_long_and_sends_the_same_order(
    client: Client, form: Response, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(request: object) -> None:
        raise ShopBusy(retry_after=7)

    with monkeypatch.context() as patched:
        patched.setattr("orders.shop.views.checkout.place_order", busy)
        first = send(client, form, name="Zoë")
        second = send(client, first, name="Zoë")

    assert (second.status_code, second.headers["Retry-After"]) == (503, "7")
    assert "Tried 2 times, for" in text_of(second)
    assert 'data-retry-after="7"' in second.content.decode()
    assert hidden_fields(second) == hidden_fields(form)
    send(client, second, name="Zoë")
    assert Order.objects.get().name == "Zoë"


def test_a_form_that_is_not_let_in_waits_on_that_page_and_loses_nothing(
    client: Client, form: Response
) -> None:
    with refused():
        waiting = send(client, form, name="Zoë")

    assert (waiting.status_code, waiting.headers["Retry-After"]) == (503, "2")
    assert hidden_fields(waiting) == hidden_fields(form)
    assert not Order.objects.exists()
    send(client, waiting, name="Zoë")
    assert Order.objects.get().name == "Zoë"


def test_an_unknown_outcome_leads_to_the_order_as_soon_as_it_is_there(
    client: Client, form: Response, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted: list[Any] = []

    def answer_is_lost(request: Any) -> None:
        from orders.placing.identity import order_ids

        wanted.append(request)
        ids = order_ids(source=request.source, user_id=None, key=request.key)
        raise OutcomeUnknown(ids[0])

    with monkeypatch.context() as patched:
        patched.setattr("orders.shop.views.checkout.place_order", answer_is_lost)
        page = post(client, form).headers["Location"]
    assert "never ordered twice" in text_of(client.get(page))

    order = place_order(wanted[0]).order

    assert client.get(page).headers["Location"] == f"/orders/{order.pk}/"
    assert cart_of(client) == {}
    assert Order.objects.count() == 1


@pytest.mark.parametrize(
    ("country", "language", "words", "missing"),
    [
        ("US", "en", ["ZIP code", "State", "Illinois"], {"region", "postcode", "city", "line1"}),
        ("GB", "en", ["Town or city", "Postcode"], {"postcode", "city", "line1"}),
        ("JP", "en", ["Prefecture", "Tokyo"], {"region", "postcode", "city", "line1"}),
        ("CN", "zh-hans", ["省", "广东省"], {"region", "postcode", "city", "line1"}),
        ("HK", "en", ["Area", "Kowloon"], {"region", "line1"}),
        ("SG", "en", ["Postcode"], {"postcode", "line1"}),
        ("DE", "en", ["Postcode"], {"postcode", "city", "line1"}),
    ],
)
def test_each_country_has_its_own_form(
    client: Client, form: Response, country: str, language: str, words: list[str], missing: set[str]
) -> None:
    client.cookies["django_language"] = language
    fields = client.post("/checkout/address/", {"country": country, "line1": "Kept 1"})
    page = send(client, form, handover="delivery", country=country)

    assert 'value="Kept 1"' in fields.content.decode()
    for word in words:
        assert word in text_of(fields)
    found = set(re.findall(r'id="id_(line1|city|region|postcode)_error"', page.content.decode()))
    assert found == missing


@pytest.mark.parametrize(
    ("country", "postcode", "example"),
    [("DE", "123", "26133"), ("GB", "12345", "EC1Y 8SY"), ("US", "ABC", "95014")],
)
def test_a_wrong_postcode_is_told_with_an_example(
    client: Client, form: Response, country: str, postcode: str, example: str
) -> None:
    refused = send(
        client, form, handover="delivery", **ADDRESS | {"country": country, "postcode": postcode}
    )

    assert f"One is written like {example}." in text_of(refused)


def test_the_account_of_another_reads_no_draft_of_the_session(
    client: Client, form: Response, ada: User
) -> None:
    page = post(client, form, name="Zoë", email="zoe").headers["Location"]
    other = Client()
    add_product("CUP")
    add(other, "CUP")

    assert 'value="Zoë"' not in other.get(page).content.decode()
    assert 'value="Zoë"' in client.get(page).content.decode()
    assert 'value="Zoë"' not in other.get("/checkout/").content.decode()
