"""Signing up and in with codes from the mailbox, in a real browser on the live shop."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import add_to_cart, assert_fits, pay_by_transfer
from tests.browser.shopper import code_for
from tests.live import LiveShop

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(180)]


def top_of(page: Page, selector: str) -> float:
    """Return the distance from the top of the page, in px."""
    return page.locator(selector).evaluate("element => element.getBoundingClientRect().top")


def bottom_of(page: Page, selector: str) -> float:
    return page.locator(selector).evaluate("element => element.getBoundingClientRect().bottom")


def test_a_shopper_signs_up_orders_and_finds_the_order_by_a_code(
    page: Page, live_shop: LiveShop
) -> None:
    email = f"ada-{uuid4().hex[:8]}@example.org"
    page.goto(live_shop.url)
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Send me the code").click()
    first = code_for(email, live_shop)
    page.get_by_label("Code").fill(f"{first[:3]} {first[3:]}")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("You have no orders yet.")).to_be_visible()
    assert_fits(page)

    page.goto(f"{live_shop.url}/accounts/addresses/new/")
    assert bottom_of(page, "h1") <= top_of(page, ".account-page form")

    page.goto(live_shop.url)
    page.locator(".grid a:not(:has-text('Sold out'))").first.click()
    add_to_cart(page)
    page.goto(f"{live_shop.url}/checkout/")
    expect(page.get_by_label("E-mail")).to_have_value(email)
    page.get_by_label("Name", exact=False).first.fill("Zoë 王小明")
    pay_by_transfer(page)
    page.get_by_role("button", name=re.compile("Place order")).last.click()
    expect(page).to_have_url(re.compile(r"/orders/[0-9a-f-]{36}/"))

    page.goto(f"{live_shop.url}/accounts/")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Send me the code").click()
    page.get_by_label("Code").fill(code_for(email, live_shop, other_than=first))
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_role("link", name=re.compile(r"Order T\d+"))).to_be_visible()
    assert_fits(page)
