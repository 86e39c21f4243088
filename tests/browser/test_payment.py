"""A customer pays an order at the test bank, in a real browser on the live shop."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import add_to_cart, assert_fits
from tests.live import LiveShop

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(240)]

ORDER = re.compile(r"/orders/[0-9a-f-]{36}/(#payment)?$")
BANK = re.compile("/test-bank/")


def place(page: Page, shop: LiveShop) -> None:
    """Place an order that is paid at the test bank: the first way of the checkout."""
    page.goto(shop.url)
    page.locator(".grid a:not(:has-text('Sold out'))").first.click()
    add_to_cart(page)
    page.goto(f"{shop.url}/checkout/")
    page.get_by_label("Name", exact=False).first.fill("Ada Lovelace")
    page.get_by_label("E-mail", exact=False).fill("ada@example.org")
    assert_fits(page)
    page.get_by_role("button", name=re.compile("Place order")).last.click()
    expect(page).to_have_url(BANK)  # in one go


def test_cancelled_refused_and_paid_late_is_one_order_with_a_true_sentence_each_time(
    page: Page, live_shop: LiveShop
) -> None:
    place(page, live_shop)
    payment, pay = page.locator("#payment"), page.get_by_role("button", name=re.compile("^Pay .+:"))

    page.get_by_role("button", name="Cancel").click()
    expect(payment).to_contain_text("The last payment was cancelled, and nothing was paid by it.")
    order = page.url
    page.get_by_role("button", name="Pay by transfer").click()
    expect(page.locator(".bank-account")).to_contain_text("DE02 1203 0000 0000 2020 51")
    expect(page.locator(".stages-next")).to_contain_text("Your transfer of")
    assert_fits(page)

    pay.click()
    expect(page).to_have_url(BANK)
    page.get_by_role("button", name="Refuse").click()
    expect(payment).to_contain_text("The last payment didn't work")

    pay.click()
    page.get_by_label("Late", exact=False).check()
    page.get_by_role("button", name="Pay").click()
    expect(payment).to_contain_text("We wait for the bank's answer")
    expect(page.locator(".stages-next")).to_contain_text("The bank answers")
    # Without a reload: the page looks by itself, and says it to screen readers.
    expect(page.locator("#order-news")).to_contain_text("is paid", timeout=60_000)
    expect(page.locator("#progress-said")).to_contain_text("We pack your order.")
    expect(payment).to_have_count(0)
    assert page.url.split("#")[0] == order
    assert_fits(page)


def test_the_webhook_first_then_the_customer_and_back_never_meets_the_form_again(
    page: Page, live_shop: LiveShop
) -> None:
    place(page, live_shop)
    bank = page.url
    page.go_back()
    expect(page).to_have_url(ORDER)
    expect(page.locator(".stages-next")).to_contain_text("You pay")

    page.get_by_role("button", name=re.compile("^Pay .+:")).click()
    expect(page).to_have_url(bank)  # one order, one attempt
    page.locator("input[name=answer][value=webhook]").check()
    page.get_by_role("button", name="Pay").click()
    page.get_by_role("link", name="Back to the shop").click()

    expect(page.locator("#order-news")).to_contain_text("is paid", timeout=60_000)
    expect(page.locator("#payment")).to_have_count(0)
    page.get_by_role("button", name="Order again").click()
    expect(page.locator(".cart-line")).to_have_count(1)
