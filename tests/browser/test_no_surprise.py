"""What may change between the cart and the order, in a real browser on the live shop.

Nobody orders twice, and nobody pays another price, or gets less, than the page showed.
"""

from decimal import Decimal

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.axe import objections
from tests.browser.pages import assert_fits
from tests.browser.shopper import (
    DRAFT,
    MUG,
    ORDER,
    choose_delivery,
    fill_in_checkout,
    let_holds_expire,
    new_email,
    new_product,
    opened,
    put_in_cart,
    send,
    totals_of,
)
from tests.live import LiveShop, wait_until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(180)]

desktop = pytest.mark.parametrize("page", [1280], ids=["desktop"], indirect=True)

SEND_SOON = "setTimeout(() => document.getElementById('checkout').requestSubmit())"


@desktop
def test_two_tabs_are_one_cart_and_sent_at_once_one_order(page: Page, live_shop: LiveShop) -> None:
    email = new_email()
    tabs = [page, page.context.new_page()]
    put_in_cart(tabs[0], live_shop, slug=MUG)
    put_in_cart(tabs[1], live_shop, slug="gooseneck-kettle")
    for tab in tabs:
        fill_in_checkout(tab, live_shop, email=email)
        expect(tab.locator(".summary-lines li")).to_have_count(2)

    for tab in tabs:
        tab.evaluate(SEND_SOON)

    expect(tabs[0]).to_have_url(ORDER)
    expect(tabs[1]).to_have_url(tabs[0].url)
    assert totals_of(live_shop, email) == [Decimal("77.50")]


@desktop
def test_a_price_that_changed_is_shown_before_anything_is_placed(
    page: Page, live_shop: LiveShop
) -> None:
    email, slug = new_email(), new_product(live_shop, stock=5)
    put_in_cart(page, live_shop, slug=slug, quantity=2)
    fill_in_checkout(page, live_shop, email=email)
    with psycopg.connect(live_shop.env["DATABASE_URL"]) as connection:
        connection.execute("UPDATE orders_product SET price = 12.34 WHERE slug = %s", [slug])

    send(page)

    expect(page).to_have_url(DRAFT)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The total has changed. It is €24.68 now.")
    expect(alert).to_be_focused()
    expect(page.locator("#id_name")).to_have_value("Zoë 王")
    expect(page.locator("#totals button")).to_contain_text("€24.68")
    assert totals_of(live_shop, email) == []
    assert_fits(page)
    send(page)
    expect(page).to_have_url(ORDER)
    assert totals_of(live_shop, email) == [Decimal("24.68")]


@desktop
def test_what_sells_out_during_the_checkout_is_said_and_adjusted(
    page: Page, live_shop: LiveShop
) -> None:
    email, slug = new_email(), new_product(live_shop, stock=3)
    put_in_cart(page, live_shop, slug=slug, quantity=3)
    fill_in_checkout(page, live_shop, email=email)
    let_holds_expire(page, live_shop)
    buy_elsewhere(live_shop, slug, units=2)

    send(page)

    expect(page).to_have_url(DRAFT)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Nothing was ordered: we don’t have enough.")
    expect(alert).to_contain_text("you asked for 3, 1 left")
    assert_fits(page)
    page.get_by_role("button", name="Set to 1").click()
    expect(page.locator("#id_email")).to_have_value(email)
    expect(page.locator("#totals button")).to_contain_text("€10.00")
    let_holds_expire(page, live_shop)
    buy_elsewhere(live_shop, slug, units=1)
    send(page)
    expect(alert).to_contain_text("is sold out")
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(page.get_by_role("heading", name="Your cart is empty")).to_be_visible()
    assert totals_of(live_shop, email) == []


@pytest.mark.slow
@desktop
def test_who_leaves_the_page_at_once_still_has_it_in_the_cart(
    page: Page, live_shop: LiveShop
) -> None:
    held: list[Route] = []
    page.goto(f"{live_shop.url}/products/{MUG}/")
    page.route(f"{live_shop.url}/cart/", lambda route: held.append(route), times=1)

    page.get_by_role("button", name="Add to cart").click()
    while not held:
        page.wait_for_timeout(20)
    page.goto(f"{live_shop.url}/orders/find/")
    held[0].continue_()

    def is_in_the_cart() -> bool:
        page.reload()
        return page.locator("#cart-link .cart-count").is_visible()

    wait_until(is_in_the_cart, seconds=20)


@pytest.mark.slow
def test_a_carrier_that_fails_is_left_out_with_a_note(page: Page, live_shop: LiveShop) -> None:
    """The simulated carrier "moody" is broken where the postcode ends in 9."""
    email = new_email()
    put_in_cart(page, live_shop)
    fill_in_checkout(page, live_shop, email=email)
    choose_delivery(page, postcode="24109")

    expect(page.locator(".missing li", has_text="moody")).to_be_visible()
    expect(page.locator(".quotes input[value^=moody]")).to_have_count(0)
    expect(page.locator(".quotes input[value^=swift]")).to_be_visible()
    assert_fits(page)
    send(page)
    expect(page).to_have_url(ORDER)
    assert len(totals_of(live_shop, email)) == 1


@pytest.mark.slow
def test_in_a_rush_the_page_waits_and_sends_the_same_order_again(
    browser: Browser, live_shop: LiveShop
) -> None:
    email, slug = new_email(), new_product(live_shop, stock=5)
    with (
        opened(browser, width=390) as page,
        psycopg.connect(live_shop.env["DATABASE_URL"]) as somebody,
    ):
        put_in_cart(page, live_shop, slug=slug)
        fill_in_checkout(page, live_shop, email=email)
        key = page.locator("input[name=key]").input_value()
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.post_data or ""))
        somebody.execute(
            "SELECT 1 FROM orders_stock JOIN orders_product ON id = product_id"
            " WHERE slug = %s FOR UPDATE OF orders_stock",
            [slug],
        )

        send(page)

        waiting = page.locator("#waiting")
        expect(waiting).to_contain_text("Your order is not placed yet", timeout=20_000)
        expect(waiting.get_by_role("status")).to_contain_text("The next try is in")
        assert objections(page) == []
        assert_fits(page)
        expect(page.locator(".waiting-time")).to_contain_text("Tried 2 times", timeout=60_000)
        assert totals_of(live_shop, email) == []
        somebody.rollback()
        expect(page).to_have_url(ORDER, timeout=60_000)
        tries = [body for body in sent if "expected_total" in body]
        assert len(tries) >= 3
        assert all(key in body for body in tries)
        assert totals_of(live_shop, email) == [Decimal("10.00")]


def buy_elsewhere(shop: LiveShop, slug: str, *, units: int) -> None:
    """Let another customer take these units."""
    httpx.post(
        f"{shop.url}/api/v1/orders",
        headers={"Idempotency-Key": f"{slug}-takes-{units}-units"},
        json={
            "name": "Ada Lovelace",
            "email": "ada@example.org",
            "lines": [{"sku": slug.upper(), "quantity": units}],
        },
    ).raise_for_status()
