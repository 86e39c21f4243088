"""The clock at the checkout runs out while somebody pays, and a voucher ends; on a live shop."""

import re
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.pages import assert_fits
from tests.browser.shopper import (
    ORDER,
    fill_in_checkout,
    new_email,
    opened,
    put_in_cart,
    send,
    speak,
)
from tests.live import LiveShop, wait_until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(240)]

QUARTER = 15 * 60 * 1000
"""Milliseconds of `HOLD_MINUTES`."""


def one_value(database: psycopg.Connection, statement: str) -> Any:
    row = database.execute(statement).fetchone()
    assert row is not None
    return row[0]


def held_since_last(database: psycopg.Connection) -> str:
    newest = "SELECT status FROM orders_hold ORDER BY created_at DESC LIMIT 1"
    return one_value(database, newest)


def test_the_clock_runs_out_while_somebody_pays(page: Page, live_shop: LiveShop) -> None:
    page.clock.install()
    put_in_cart(page, live_shop)
    fill_in_checkout(page, live_shop, email=new_email())
    left = page.locator(".hold-left")
    expect(left).to_have_text(re.compile(r"^1[45]:\d\d$"))
    assert_fits(page)
    with psycopg.connect(live_shop.env["DATABASE_URL"], autocommit=True) as database:
        assert held_since_last(database) == "open"
        database.execute(
            "UPDATE orders_hold SET expires_at = now()"
            " WHERE id = (SELECT id FROM orders_hold ORDER BY created_at DESC LIMIT 1)"
        )
        wait_until(lambda: held_since_last(database) == "expired", seconds=5)

        page.clock.fast_forward(QUARTER)
        expect(page.locator(".hold-over")).to_contain_text("The time is over")
        expect(page.locator(".hold-over p")).to_be_visible()
        expect(page.locator("#hold-said")).to_contain_text("The time is over")
        expect(left).to_be_hidden()
        assert_fits(page)

        page.locator(".hold-again").click()
        expect(left).to_have_text(re.compile(r"^1[45]:\d\d$"))
        expect(page.locator("#id_name")).to_have_value("Zoë 王")
        send(page)
        expect(page).to_have_url(ORDER)
        assert held_since_last(database) == "ordered"


def test_the_last_ones_are_set_aside_for_one_of_two(browser: Browser, live_shop: LiveShop) -> None:
    with (
        psycopg.connect(live_shop.env["DATABASE_URL"], autocommit=True) as database,
        opened(browser) as first,
        opened(browser) as second,
    ):
        stock = "FROM orders_stock WHERE product_id ="
        product = "(SELECT id FROM orders_product WHERE slug = 'stoneware-mug')"
        left = one_value(database, f"SELECT available {stock} {product}")
        for person in (first, second):
            put_in_cart(person, live_shop, quantity=min(left, 999))
        first.goto(f"{live_shop.url}/checkout/")
        expect(first.locator(".hold-left")).to_be_visible()
        second.goto(f"{live_shop.url}/checkout/")
        expect(second.locator("#hold")).to_contain_text("Somebody was quicker")
        expect(first.locator(".is-short")).to_have_count(0)
        database.execute("UPDATE orders_hold SET expires_at = now() WHERE status = 'open'")
        wait_until(lambda: held_since_last(database) == "expired", seconds=5)


def test_without_javascript_a_button_sets_aside(browser: Browser, live_shop: LiveShop) -> None:
    with opened(browser, java_script_enabled=False) as page:
        put_in_cart(page, live_shop)
        speak(page, live_shop, "zh-hans")
        fill_in_checkout(page, live_shop, email=new_email())
        page.locator(".hold-again").click()

        expect(page.locator(".hold-open")).to_be_visible()
        expect(page.locator("#id_name")).to_have_value("Zoë 王")
        assert_fits(page)


def test_a_vouchers_end_is_told_in_words(page: Page, live_shop: LiveShop) -> None:
    with psycopg.connect(live_shop.env["DATABASE_URL"], autocommit=True) as database:
        database.execute(
            "INSERT INTO orders_voucher (code, kind, value) VALUES ('BROWSER-10', 'percent', 10)"
            " ON CONFLICT (code) DO UPDATE SET is_active = true"
        )
        put_in_cart(page, live_shop)
        fill_in_checkout(page, live_shop, email=new_email())
        page.locator("#id_voucher").fill("browser-10")
        page.locator("button[value=voucher]").click()
        expect(page.locator("#totals")).to_contain_text("BROWSER-10")
        expect(page.locator("#id_name")).to_have_value("Zoë 王")
        assert_fits(page)

        database.execute("UPDATE orders_voucher SET is_active = false")
        send(page)
        expect(page.get_by_role("alert")).to_contain_text("isn’t valid any more")
        page.locator("#id_voucher").fill("")
        page.locator("button[value=voucher]").click()
        expect(page.get_by_role("alert")).to_have_count(0)
        send(page)
        expect(page).to_have_url(ORDER)
