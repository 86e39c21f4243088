"""A return from the order's page to its refund, in a real browser on the live shop.

`RETURNS_LOOKS=<folder>` keeps the pages in every look there, to be judged by eye.
"""

import os
import re
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import objections
from tests.browser.pages import assert_fits, sign_in
from tests.browser.shopper import (
    ORDER,
    fill_in_checkout,
    new_email,
    new_product,
    opened,
    put_in_cart,
    send,
    speak,
)
from tests.live import LiveShop, wait_until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(240)]

BRING = """
from orders.lifecycle.transitions import deliver, pack, pay
from orders.models import Order
order = Order.objects.get(email="{email}")
pay(order_id=order.pk, method="transfer", reference=f"R-{{order.number}}", amount=order.total)
pack(order_id=order.pk)
deliver(order_id=order.pk)
"""


def look(page: Page, name: str, *, in_chinese: LiveShop | None = None) -> None:
    """Check that the page fits, and keep it in every look, if asked to.

    `in_chinese`: the shop of a page that may be opened again, in the other language.
    """
    assert_fits(page)
    folder = os.environ.get("RETURNS_LOOKS")
    if not folder:
        return
    size = page.viewport_size
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            path = Path(folder) / f"{name}-{width}-{scheme}.png"
            page.screenshot(path=path, full_page=True)
            assert_fits(page)
    page.emulate_media(color_scheme="light")
    if in_chinese:
        speak(page, in_chinese, "zh-hans")
        page.reload()
        look(page, f"{name}-zh")
        speak(page, in_chinese, "en")
        page.reload()
    assert size is not None
    page.set_viewport_size(size)


def mails(shop: LiveShop, email: str) -> list[str]:
    """Return the subjects of the sent messages about returns, the oldest first."""
    with psycopg.connect(shop.env["DATABASE_URL"]) as connection:
        rows = connection.execute(
            "SELECT subject FROM notifications_notification WHERE recipient = %s"
            " AND event LIKE 'order_return%%' AND status = 'done' ORDER BY created_at",
            [email],
        )
        return [subject for (subject,) in rows]


def test_a_return_from_the_page_to_the_refund(
    browser: Browser, page: Page, live_shop: LiveShop
) -> None:
    email, slug = new_email(), new_product(live_shop, stock=5)
    with opened(browser) as shopper:
        put_in_cart(shopper, live_shop, slug=slug, quantity=2)
        fill_in_checkout(shopper, live_shop, email=email)
        send(shopper)
        expect(shopper).to_have_url(ORDER)
        live_shop.manage("shell", "-c", BRING.format(email=email))
        shopper.reload()
        look(shopper, "shop-offer", in_chinese=live_shop)
        shopper.get_by_text("Return items", exact=True).click()
        shopper.get_by_label(re.compile("^.?Thing")).fill("2")
        shopper.get_by_label("Reason").fill("Smaller than I thought")
        look(shopper, "shop-form")
        assert objections(shopper) == []
        shopper.get_by_role("button", name="Ask for the return").click()
        expect(shopper.get_by_text("We look at it, and write to you.")).to_be_visible()
        look(shopper, "shop-requested", in_chinese=live_shop)

        sign_in(page, live_shop)
        page.goto(f"{live_shop.url}/admin/orders/return/")
        row = page.get_by_role("row").filter(has_text=slug.upper())
        look(page, "desk-list", in_chinese=live_shop)
        row.get_by_role("link", name="Accept the return").click()
        look(page, "desk-accept", in_chinese=live_shop)
        page.get_by_label("Answer").fill("Any carrier will do")
        page.get_by_role("button", name="Accept the return").click()
        page.goto(f"{live_shop.url}/admin/orders/return/?status=accepted")
        row = page.get_by_role("row").filter(has_text=slug.upper())
        row.get_by_role("link", name=re.compile(r"^T\d+$")).click()
        look(page, "desk-order", in_chinese=live_shop)
        page.locator("#returns").get_by_role("link", name="Enter what came back").click()
        page.get_by_label("… of them back on sale").fill("1")
        expect(page.get_by_text("1 unit returns to the stock.")).to_be_visible()
        look(page, "desk-receive")
        page.get_by_role("button", name="Enter what came back").click()
        expect(page.get_by_text("€20.00 owed to the customer")).to_be_visible()
        expect(page.get_by_text("2 came, 1 back on sale")).to_be_visible()
        look(page, "desk-received", in_chinese=live_shop)

        shopper.reload()
        expect(shopper.get_by_text("It came back to us: you get €20.00.")).to_be_visible()
        look(shopper, "shop-received", in_chinese=live_shop)
    wait_until(lambda: len(mails(live_shop, email)) == 3, seconds=60, what="the three mails")
    assert [subject.partition(" of order")[0] for subject in mails(live_shop, email)] == [
        "Your return",
        "Return",
        "Return",
    ]
    page.goto(f"{live_shop.url}/mailbox/")
    page.get_by_text("it has come").first.click()
    look(page, "mail-received")
    expect(page.get_by_text("We give back €20.00").first).to_be_attached()
