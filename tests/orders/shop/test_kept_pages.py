"""Pages that are kept for a moment: whose they are, how old, and what a browser need not load."""

from typing import Any

import pytest
from django.test import Client

from orders.models import Product, Stock
from orders.shop.kept_pages import MARK, Page
from project.kept import Kept
from tests.factories import add_product
from tests.orders.shop.pages import add, text_of

pytestmark = pytest.mark.django_db

PATHS = ["/", "/products/mug/"]
API_PATHS = ["/api/v1/products", "/api/v1/products/MUG"]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Clock:
    """Keep pages for two seconds of a clock that stands still, from nothing on."""
    settings.KEEP_PAGES_SECONDS = 2
    clock = Clock()
    monkeypatch.setattr("project.kept.time.monotonic", clock)
    monkeypatch.setattr("orders.shop.kept_pages._pages", Kept[Page](most=10))
    monkeypatch.setattr("orders.api.kept_answers._answers", Kept[tuple[bytes, str]](most=10))
    return clock


@pytest.fixture(autouse=True)
def mug() -> Product:
    return add_product("MUG", price="9.90", stock=50)


def reprice(price: str) -> None:
    Product.objects.update(price=price)


@pytest.mark.parametrize("path", [*PATHS, *API_PATHS])
def test_a_second_visitor_costs_no_query(path: str, django_assert_num_queries: Any) -> None:
    Client().get(path)

    with django_assert_num_queries(0):
        assert "9.90" in Client().get(path).content.decode()


@pytest.mark.parametrize("path", [*PATHS, *API_PATHS])
def test_a_new_price_and_the_end_of_the_stock_are_seen_within_two_seconds(
    path: str, clock: Clock
) -> None:
    Client().get(path)
    reprice("12.30")
    Stock.objects.update(available=0)

    clock.now += 2
    answer = Client().get(path).content.decode()

    assert "12.30" in answer
    assert "9.90" not in answer
    assert "Sold out" in answer or '"available":0' in answer or "back in stock" in answer


@pytest.mark.parametrize("path", PATHS)
def test_who_has_a_cart_sees_it_and_what_is_true_now(path: str) -> None:
    shopper = Client()
    Client().get(path)
    add(shopper, "MUG", 3)
    reprice("12.30")

    page = text_of(shopper.get(path))

    assert "3 items" in page
    assert "12.30" in page
    assert "3 items" not in text_of(Client().get(path))


def test_cart_and_checkout_never_show_an_old_price() -> None:
    shopper = Client()
    add(shopper, "MUG", 1)
    shopper.get("/")
    reprice("12.30")

    for path in ("/cart/", "/checkout/"):
        page = shopper.get(path)
        assert "12.30" in text_of(page)
        assert "no-store" in page.headers["Cache-Control"]


@pytest.mark.parametrize("path", PATHS)
def test_each_language_has_a_page_of_its_own(path: str) -> None:
    english = Client().get(path)
    chinese = Client(headers={"accept-language": "zh-hans"}).get(path)

    assert 'lang="en"' in english.content.decode()
    assert 'lang="zh-hans"' in chinese.content.decode()
    assert english.headers["ETag"] != chinese.headers["ETag"]
    assert {"Cookie", "Accept-Language"} <= set(english.headers["Vary"].split(", "))


@pytest.mark.parametrize("path", PATHS)
def test_each_browser_has_a_token_of_its_own_in_the_forms(path: str) -> None:
    one, other = Client(enforce_csrf_checks=True), Client(enforce_csrf_checks=True)

    tokens = []
    for browser in (one, other):
        page = browser.get(path).content.decode()
        assert MARK not in page
        tokens.append(page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0])

    assert tokens[0] != tokens[1]
    form = {"action": "add", "sku": "MUG", "quantity": 1, "csrfmiddlewaretoken": tokens[1]}
    assert other.post("/cart/", form).status_code == 302
    assert one.post("/cart/", form).status_code == 403


@pytest.mark.parametrize("path", [*PATHS, *API_PATHS])
def test_a_browser_that_has_the_page_gets_nothing_until_it_changes(path: str, clock: Clock) -> None:
    browser = Client()
    first = browser.get(path)
    asks = {"if-none-match": first.headers["ETag"]}

    same = browser.get(path, headers=asks)
    reprice("12.30")
    clock.now += 2
    changed = browser.get(path, headers=asks)

    assert "no-cache" in first.headers["Cache-Control"]
    assert (same.status_code, same.content) == (304, b"")
    assert changed.status_code == 200


def test_another_browser_s_page_is_not_taken_for_one_s_own() -> None:
    asks = {"if-none-match": Client().get("/").headers["ETag"]}

    assert Client().get("/", headers=asks).status_code == 200


def test_what_was_looked_at_is_shown_to_its_browser_only() -> None:
    add_product("CUP")
    browser = Client()
    browser.get("/products/mug/")

    assert "You looked at" in text_of(browser.get("/products/cup/"))
    assert "You looked at" not in text_of(Client().get("/products/cup/"))


def test_a_product_that_is_not_there_is_looked_for_each_time() -> None:
    assert Client().get("/products/cup/").status_code == 404
    add_product("CUP")

    assert Client().get("/products/cup/").status_code == 200
