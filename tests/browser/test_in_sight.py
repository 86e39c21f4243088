"""What a shopper changes stays in sight and keeps the focus: nobody is sent to the page's top."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.shopper import new_product, opened, put_in_cart, totals_of
from tests.live import LiveShop

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(240)]

NO_CONNECTION = """() => {
  window.fetch = () => new Promise((_done, fail) => setTimeout(fail, 10));
}"""


def test_more_and_less_in_the_cart_leave_the_shopper_at_her_line(
    page: Page, live_shop: LiveShop
) -> None:
    for slug in ("gooseneck-kettle", "moka-pot-for-six", "vacuum-flask", "desk-lamp-halo"):
        put_in_cart(page, live_shop, slug=slug)
    page.goto(f"{live_shop.url}/cart/")
    more = page.get_by_role("button", name="One more of Desk lamp Halo")
    more.scroll_into_view_if_needed()
    more.focus()
    before = page.evaluate("scrollY")

    page.keyboard.press("Enter")

    expect(page.get_by_label("Quantity of Desk lamp Halo")).to_have_value("2")
    expect(page.locator("#cart-link .cart-count")).to_contain_text("5")
    expect(more).to_be_focused()
    assert page.evaluate("scrollY") == before
    expect(page.locator("[role=status].visually-hidden").last).to_contain_text("Total")


def test_the_last_line_that_is_removed_leaves_an_empty_cart(
    page: Page, live_shop: LiveShop
) -> None:
    put_in_cart(page, live_shop)
    page.goto(f"{live_shop.url}/cart/")

    page.get_by_role("button", name="Remove Stoneware mug").press("Enter")

    expect(page.get_by_role("heading", name="Your cart is empty")).to_be_visible()
    expect(page.locator("#cart-link .cart-count")).to_have_count(0)
    expect(page.locator("#main")).to_be_focused()


def test_a_change_that_no_script_can_send_is_sent_by_the_browser(
    browser: Browser, live_shop: LiveShop
) -> None:
    with opened(browser) as page:
        put_in_cart(page, live_shop)
        page.goto(f"{live_shop.url}/cart/")
        page.evaluate(NO_CONNECTION)

        page.get_by_role("button", name="One more of").click()

        expect(page.get_by_label("Quantity of Stoneware mug")).to_have_value("2")


@pytest.mark.parametrize("with_script", [True, False])
def test_an_applied_code_leaves_the_shopper_at_its_answer(
    browser: Browser, live_shop: LiveShop, with_script: bool
) -> None:
    with opened(browser, width=390, height=844, java_script_enabled=with_script) as page:
        put_in_cart(page, live_shop)
        page.goto(f"{live_shop.url}/checkout/")
        page.locator("#id_voucher").fill("NOPE")

        page.get_by_role("button", name="Apply").click()

        expect(page.get_by_text("There is no voucher with this code.")).to_be_in_viewport()
        expect(page.locator("#id_voucher")).to_be_focused()


def test_enter_in_the_codes_field_applies_the_code_and_orders_nothing(
    page: Page, live_shop: LiveShop
) -> None:
    put_in_cart(page, live_shop, slug=new_product(live_shop, stock=2))
    page.goto(f"{live_shop.url}/checkout/")
    email = f"code-{page.viewport_size['width']}@example.org" if page.viewport_size else ""
    page.locator("#id_email").fill(email)
    page.locator("#id_voucher").fill("NOPE")

    page.locator("#id_voucher").press("Enter")

    expect(page).to_have_url(re.compile("draft="))
    expect(page.get_by_text("There is no voucher with this code.")).to_be_in_viewport()
    expect(page.get_by_text("Please look at this again")).to_have_count(0)
    assert totals_of(live_shop, email) == []


def test_a_wrong_address_on_the_waiting_list_is_told_in_sight(
    browser: Browser, live_shop: LiveShop
) -> None:
    with opened(browser, width=390, height=844) as page:
        page.goto(f"{live_shop.url}/products/tandem-bicycle/")
        page.locator("#waiting input[name=email]").fill("zoe")

        page.get_by_role("button", name="Tell me").click()

        expect(page.get_by_text("Enter a valid e-mail address")).to_be_in_viewport()
        expect(page.locator("#waiting input[name=email]")).to_be_focused()
