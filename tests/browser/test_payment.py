"""A customer pays an order at the test bank, in a real browser on the live shop."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import assert_fits
from tests.live import LiveShop

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(180)]


def test_a_customer_pays_after_a_refusal_and_sees_the_late_answer_come(
    page: Page, live_shop: LiveShop
) -> None:
    page.goto(live_shop.url)
    page.locator(".grid a:not(:has-text('Sold out'))").first.click()
    page.get_by_role("button", name="Add to cart").click()
    page.goto(f"{live_shop.url}/checkout/")
    page.get_by_label("Name", exact=False).first.fill("Ada Lovelace")
    page.get_by_label("E-mail", exact=False).fill("ada@example.org")
    page.get_by_role("button", name=re.compile("Place order")).last.click()
    expect(page).to_have_url(re.compile(r"/orders/[0-9a-f-]{36}/"))
    pay = page.locator("#payment").get_by_role("button", name=re.compile("^Pay .+: test bank"))

    pay.click()
    expect(page).to_have_url(re.compile("/test-bank/"))
    assert_fits(page)
    page.get_by_role("button", name="Refuse").click()
    expect(page.locator("#payment")).to_contain_text("The last payment didn't work")
    assert_fits(page)

    pay.click()
    page.get_by_label("Late", exact=False).check()
    page.get_by_role("button", name="Pay").click()
    expect(page.locator("#payment")).to_contain_text("We wait for the bank's answer")
    # Without a reload: the page looks by itself.
    expect(page.locator("#order-news")).to_contain_text("is paid", timeout=60_000)
    expect(page.locator("#payment")).to_have_count(0)
