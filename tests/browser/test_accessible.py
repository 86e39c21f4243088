"""axe finds nothing to object to on any page of the shop, in a real browser on the live shop."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import objections
from tests.browser.shopper import (
    DRAFT,
    ORDER,
    choose_delivery,
    code_for,
    fill_in_checkout,
    new_email,
    opened,
    order_once,
    put_in_cart,
    send,
    speak,
)
from tests.live import LiveShop

pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.xdist_group("live"),
    pytest.mark.timeout(240),
]

LOOKS = [
    pytest.param(1280, "light", "en", id="desktop-light-english"),
    pytest.param(1280, "dark", "zh-hans", id="desktop-dark-chinese"),
    pytest.param(390, "dark", "en", id="phone-dark-english"),
    pytest.param(390, "light", "zh-hans", id="phone-light-chinese"),
]
ALONE = [
    "/",
    "/?q=mug",
    "/?q=zzz",
    "/?category=kitchen&sort=price",
    "/products/stoneware-mug/",
    "/products/notebook-dotted/",
    "/products/tandem-bicycle/",
    "/products/t-shirt-tandem/?o1=L",
    "/cart/",
    "/orders/find/",
    "/accounts/login/",
    "/accounts/login/?password",
    "/no-such-page/",
    "/mailbox/",
]
"""What is shown without a way there: a list, what has an upload, what is sold out, and so on."""


@pytest.mark.parametrize(("width", "scheme", "language"), LOOKS)
def test_axe_objects_to_nothing_on_the_way_to_an_order(
    browser: Browser, live_shop: LiveShop, width: int, scheme: str, language: str
) -> None:
    found: dict[str, list[str]] = {}
    with opened(browser, width=width, color_scheme=scheme) as page:
        speak(page, live_shop, language)
        for path in ALONE:
            page.goto(live_shop.url + path)
            found[path] = objections(page)
        put_in_cart(page, live_shop)
        found["added"] = objections(page)
        page.goto(f"{live_shop.url}/cart/")
        found["cart"] = objections(page)
        fill_in_checkout(page, live_shop, email="zoe")
        choose_delivery(page)
        found["checkout"] = objections(page)
        send(page)
        expect(page).to_have_url(DRAFT)
        found["checkout after an error"] = objections(page)
        page.locator("#id_email").fill(new_email())
        send(page)
        expect(page).to_have_url(ORDER)
        found["order"] = objections(page)
    assert {where: what for where, what in found.items() if what} == {}


@pytest.mark.parametrize(("width", "scheme", "language"), LOOKS[1:3])
def test_axe_objects_to_nothing_in_the_account(
    browser: Browser, live_shop: LiveShop, width: int, scheme: str, language: str
) -> None:
    email = new_email()
    found: dict[str, list[str]] = {}
    with opened(browser, width=width, color_scheme=scheme) as page:
        speak(page, live_shop, language)
        page.goto(f"{live_shop.url}/accounts/login/code/")
        found["sign in"] = objections(page)
        page.locator("main input[type=email], main input[name=email]").first.fill(email)
        page.locator("main form button[type=submit]").first.click()
        code = page.locator("input[autocomplete=one-time-code]")
        expect(code).to_be_visible()
        found["code"] = objections(page)
        code.fill(code_for(email, live_shop))
        code.press("Enter")
        expect(page).to_have_url(f"{live_shop.url}/accounts/")
        order_once(page, live_shop, email=email)
        for path in ("", "addresses/", "addresses/new/", "settings/", "sessions/"):
            answer = page.goto(f"{live_shop.url}/accounts/{path}")
            assert answer is not None
            assert answer.ok
            found[path] = objections(page)
    assert {where: what for where, what in found.items() if what} == {}


def test_it_objects_to_what_is_wrong(browser: Browser, live_shop: LiveShop) -> None:
    with opened(browser) as page:
        page.goto(live_shop.url)
        page.locator("main").evaluate(
            "main => main.insertAdjacentHTML('beforeend', '<img src=/none.webp><input>')"
        )
        assert {one.partition(":")[0] for one in objections(page)} >= {"image-alt", "label"}
