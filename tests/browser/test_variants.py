"""Choosing a variant in a real browser: with JavaScript without a reload, and without it."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.pages import assert_fits
from tests.browser.shopper import ORDER, fill_in_checkout, new_email, opened, send, speak
from tests.live import LiveShop

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(180)]

SHIRT = "/products/t-shirt-tandem/"
TAKE = """
from orders.catalogue.stock import correct_stock
from orders.models import Stock
for stock in Stock.objects.filter(product__sku="OUT-SHIRT-S-RUST", available__gt=0):
    correct_stock(
        product_id=stock.pk, delta=-stock.available, reason="Lost in the store", user_id=None
    )
"""


def choose(page: Page, value: str) -> None:
    """Click the option's button, as a person does: its radio input lies over it."""
    page.locator(f".option-value:has(input[value='{value}'])").click()


@pytest.fixture
def sold_out(live_shop: LiveShop) -> None:
    """Take what an earlier test has put on the shelf of a variant that the demo shop lacks."""
    live_shop.manage("shell", "-c", TAKE)


@pytest.mark.usefixtures("sold_out")
def test_a_chosen_variant_has_its_own_picture_and_stock_without_a_reload_and_is_ordered(
    page: Page, live_shop: LiveShop
) -> None:
    page.goto(live_shop.url + SHIRT)
    page.evaluate("window.isTheSamePage = true")
    expect(page.locator(".price-large")).to_contain_text("28.00")
    expect(page.locator(".buy")).to_have_count(0)
    expect(page.locator(".gallery-item")).to_have_count(2)
    assert_fits(page)

    choose(page, "M")
    expect(page).to_have_url(re.compile(r"\?o1=M$"))
    choose(page, "rust")

    expect(page).to_have_url(re.compile(r"\?variant=OUT-SHIRT-M-RUST$"))
    expect(page.locator(".gallery-item")).to_have_count(1)
    expect(page.locator(".gallery-item img").last).to_have_attribute(
        "alt", re.compile("^A rust-red T-shirt")
    )
    expect(page.locator(".stock")).to_have_text("In stock")
    expect(page.locator("#choice-says")).to_contain_text("T-shirt Tandem, M, rust")
    expect(page.locator("input[value=rust]")).to_be_focused()
    assert_fits(page)

    choose(page, "S")
    expect(page.locator(".stock")).to_have_text("Sold out")
    expect(page.locator(".waiting")).to_be_visible()
    choose(page, "L")
    expect(page.locator(".variants")).to_contain_text("There is no such combination.")
    choose(page, "M")
    expect(page).to_have_url(re.compile(r"\?variant=OUT-SHIRT-M-RUST$"))
    expect(page.locator(".stock")).to_have_text("In stock")
    page.locator(".gallery-item a").click()  # the gallery that came with the choice works, too
    expect(page.locator("dialog.zoom img")).to_have_attribute("alt", re.compile("rust-red"))
    page.keyboard.press("Escape")
    assert page.evaluate("window.isTheSamePage")

    page.locator(".buy button[type=submit]").click()
    expect(page.locator(".toast, .notice-success")).to_contain_text("T-shirt Tandem, M, rust")
    fill_in_checkout(page, live_shop, email=new_email())
    send(page)
    expect(page).to_have_url(ORDER)
    expect(page.locator("main")).to_contain_text("T-shirt Tandem, M, rust")


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_without_javascript_a_button_shows_the_choice_in_both_languages(
    browser: Browser, live_shop: LiveShop, language: str
) -> None:
    button, name = {
        "en": ("Show this choice", "T-shirt Tandem, L, moss"),
        "zh-hans": ("显示所选款式", "双人车T恤，L，苔绿"),
    }[language]
    with opened(browser, width=390, java_script_enabled=False) as page:
        speak(page, live_shop, language)
        page.goto(live_shop.url + SHIRT)
        choose(page, "L")
        choose(page, "moss")
        page.get_by_role("button", name=button).click()

        expect(page.locator(".gallery-item")).to_have_count(1)
        expect(page.locator("h1 bdi")).not_to_have_attribute("lang", re.compile("."))
        page.locator(".buy button[type=submit]").click()
        expect(page.locator(".notice-success")).to_contain_text(name)
        page.goto(f"{live_shop.url}/cart/")
        expect(page.locator(".cart-line h2")).to_have_text(name)


def test_what_is_not_translated_has_its_own_language(browser: Browser, live_shop: LiveShop) -> None:
    with opened(browser) as page:
        speak(page, live_shop, "zh-hans")
        page.goto(f"{live_shop.url}/products/storm-lantern/")

        expect(page.locator("html")).to_have_attribute("lang", re.compile("^zh"))
        expect(page.locator("h1 bdi")).to_have_attribute("lang", "en")
        expect(page.locator(".product-description")).to_have_attribute("lang", "en")
        expect(page.locator(".crumbs a bdi")).to_have_text("户外")
