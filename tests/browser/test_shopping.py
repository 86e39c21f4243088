"""The way that docs/shopping.md tells, in a real browser on the live shop; it takes the pictures.

`SHOPPING_LOOKS=<folder>` keeps the way in every look there, to be judged by eye: light and dark,
English and Chinese.
"""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from project.local.env import ROOT
from tests.browser.pages import assert_fits
from tests.browser.pictures import keep_picture
from tests.browser.shopper import (
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

PICTURES = ROOT / "docs/images/shopping"
GUIDE = ROOT / "docs/shopping.md"
MOST_BYTES = 60_000


def wait_for_renditions(page: Page, shop: LiveShop) -> None:
    """Open the list, and wait until the new shop's workers have made all its pictures."""
    page.goto(shop.url)
    while page.locator(".card .picture-tile").count():
        page.wait_for_timeout(500)
        page.reload()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_way_of_the_docs(
    browser: Browser, live_shop: LiveShop, width: int, scheme: str, language: str
) -> None:
    def picture(name: str) -> None:
        assert_fits(page)
        page.wait_for_load_state("networkidle")
        if (scheme, language) == ("light", "en"):
            path = PICTURES / f"{name}-{width}.webp"
            keep_picture(page, path, switch="SHOPPING_PICTURES")
            assert path.stat().st_size < MOST_BYTES
            assert f"({path.relative_to(GUIDE.parent)})" in GUIDE.read_text()
        looks = Path(os.environ.get("SHOPPING_LOOKS", ""))
        path = looks / f"{name}-{width}-{scheme}-{language}.webp"
        keep_picture(page, path, switch="SHOPPING_LOOKS", whole=True)

    height = 844 if width == 390 else 900
    with opened(browser, width=width, height=height, color_scheme=scheme) as page:
        speak(page, live_shop, language)
        wait_for_renditions(page, live_shop)
        picture("home")
        put_in_cart(page, live_shop)
        page.locator("main").evaluate("main => document.querySelector('.toasts').remove()")
        picture("product")
        fill_in_checkout(page, live_shop, email=new_email())
        choose_delivery(page)
        page.evaluate("scrollTo(0, 0)")
        picture("checkout")
        send(page)
        expect(page).to_have_url(ORDER)
        expect(page.locator("#progress[hx-trigger]")).to_have_count(0, timeout=90_000)
        picture("order")
