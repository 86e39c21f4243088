"""Pages of the desk that were too wide or cut off, in a real browser on the live shop."""

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import assert_fits, sign_in
from tests.live import LiveShop

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(180)]

CUT_OFF = "cells => cells.filter(cell => cell.scrollHeight > cell.clientHeight + 1).length"
TOP, BOTTOM = (f"element => element.getBoundingClientRect().{edge}" for edge in ("top", "bottom"))


def test_a_long_name_is_not_cut_off(page: Page, live_shop: LiveShop) -> None:
    httpx.post(
        f"{live_shop.url}/api/v1/orders",
        headers={"Idempotency-Key": "a-name-that-is-long"},
        json={
            "name": "Émilie d’Aubigny Wolfeschlegelsteinhausenbergerdorff",
            "email": "emilie.wolfeschlegelsteinhausenbergerdorff@example.org",
            "lines": [{"sku": "DSK-NOTEBOOK", "quantity": 1}],
        },
    ).raise_for_status()
    sign_in(page, live_shop)

    page.goto(f"{live_shop.url}/admin/orders/order/")

    assert page.locator("#result_list td").evaluate_all(CUT_OFF) == 0
    assert_fits(page)

    page.goto(f"{live_shop.url}/admin/orders/user/")
    page.get_by_role("link", name="admin", exact=True).first.click()
    expect(page.get_by_text("Clerk –")).to_be_visible()
    assert_fits(page)


def test_the_bar_of_actions_covers_no_row(page: Page, live_shop: LiveShop) -> None:
    sign_in(page, live_shop)
    page.goto(f"{live_shop.url}/admin/orders/product/")
    page.locator("input.action-select").last.check()
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")

    bar = page.locator("#changelist-form .fixed").filter(has_text="selected")
    expect(bar).to_be_visible()
    assert page.locator("#result_list tbody tr").last.evaluate(BOTTOM) <= bar.evaluate(TOP)
