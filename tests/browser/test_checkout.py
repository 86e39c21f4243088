"""From the product to the order in a real browser on the live shop, with JavaScript and without."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.pages import assert_fits, pay_by_transfer
from tests.live import LiveShop

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(240)]


def fill_in(page: Page, shop: LiveShop) -> None:
    page.goto(f"{shop.url}/checkout/")
    page.locator("#id_email").fill("zoe")
    page.locator("#id_name").fill("Zoë 王")
    page.locator("input[name=handover][value=delivery]").check()
    page.locator("#id_country").select_option("US")
    pay_by_transfer(page)


def fill_in_address(page: Page) -> None:
    page.locator("#id_region").select_option("IL")
    page.locator("#id_line1").fill("1 Main St")
    page.locator("#id_city").fill("Springfield")
    page.locator("#id_postcode").fill("62701")


def order_after_an_error(page: Page) -> None:
    """Send the form with its wrong address, mend it, click twice, and step back."""
    place = page.locator("#totals button")
    place.click()
    expect(page).to_have_url(re.compile("draft="))
    expect(page.locator("#id_line1")).to_have_value("1 Main St")
    expect(page.locator("#id_region")).to_have_value("IL")
    page.locator("#id_email").fill("zoe@example.org")
    place.dblclick()
    expect(page).to_have_url(re.compile(r"/orders/[0-9a-f-]{36}/"))
    order = page.url
    page.go_back()
    expect(page).to_have_url(order)


def test_a_shopper_orders_a_delivery_after_an_error(page: Page, live_shop: LiveShop) -> None:
    page.goto(live_shop.url)
    page.locator(".card-add button").first.click()
    expect(page.locator(".toast")).to_be_visible()
    expect(page.locator("#cart-link .cart-count")).to_be_visible()
    fill_in(page, live_shop)
    expect(page.locator("#id_region option[value=IL]")).to_be_attached()
    fill_in_address(page)
    page.locator("#id_postcode").blur()
    expect(page.locator(".quotes input").first).to_be_visible()
    assert_fits(page)
    order_after_an_error(page)


def test_a_style_that_an_extension_sets_breaks_no_policy(page: Page, live_shop: LiveShop) -> None:
    page.goto(live_shop.url)
    page.locator(".card-add button").first.click()
    expect(page.locator(".toast")).to_be_visible()
    fill_in(page, live_shop)
    expect(page.locator("#id_region option[value=IL]")).to_be_attached()
    fill_in_address(page)
    page.locator("#id_postcode").blur()
    expect(page.locator(".quotes input").first).to_be_visible()
    page.locator("#totals button").click()
    expect(page).to_have_url(re.compile("draft="))

    page.evaluate(
        "for (const id of ['id_city', 'totals']) document.getElementById(id).style = 'top: 0'"
    )
    page.locator("#id_country").select_option("DE")

    # The page fixture fails if the browser complained.
    expect(page.locator("select#id_region")).to_have_count(0)
    expect(page.locator(".quotes input").first).to_be_visible()


def test_it_is_the_same_without_javascript(browser: Browser, live_shop: LiveShop) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page = context.new_page()
    page.goto(live_shop.url)
    page.locator(".card-add button").first.click()
    fill_in(page, live_shop)
    page.locator("button[value=country]").click()
    fill_in_address(page)
    page.locator("button[value=delivery]").click()
    expect(page.locator(".quotes input").first).to_be_visible()
    order_after_an_error(page)
    context.close()
