"""axe finds nothing to object to on any page of the shop, in a real browser on the live shop."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.shopper import (
    DRAFT,
    ORDER,
    choose_delivery,
    fill_in_checkout,
    new_email,
    opened,
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
    "/cart/",
    "/orders/find/",
    "/accounts/login/",
    "/no-such-page/",
    "/mailbox/",
]
"""What is shown without a way there: a list, what has an upload, what is sold out, and so on."""


def objections(page: Page) -> list[str]:
    """Return the rules that the page breaks, each with the elements that break it."""
    # What still moves in has the colours of halfway.
    page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished)).catch(() => 0)")
    broken = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {[node['html'] for node in rule['nodes']]}" for rule in broken]


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


def test_it_objects_to_what_is_wrong(browser: Browser, live_shop: LiveShop) -> None:
    with opened(browser) as page:
        page.goto(live_shop.url)
        page.locator("main").evaluate(
            "main => main.insertAdjacentHTML('beforeend', '<img src=/none.webp><input>')"
        )
        assert {one.partition(":")[0] for one in objections(page)} >= {"image-alt", "label"}
