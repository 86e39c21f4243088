"""Set times, in a real browser on the live shop: an entry is moved and run, a product launched."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.pages import assert_fits, sign_in
from tests.live import LiveShop, wait_until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(180)]

SECONDS = 60_000
"""Milliseconds that something may take which a relay and a worker do."""


def test_an_entry_of_the_schedule_is_moved_and_run_now(page: Page, live_shop: LiveShop) -> None:
    sign_in(page, live_shop)
    page.goto(f"{live_shop.url}/admin/django_celery_beat/periodictask/")
    assert_fits(page)
    page.get_by_role("link", name="Prune", exact=True).first.click()
    page.get_by_label("At", exact=True).fill("04:15")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("every day at 04:15").first).to_be_visible()
    assert_fits(page)

    page.get_by_role("button", name="Run now").click()

    expect(page).to_have_url(re.compile(r"/admin/project/manualrun/[0-9a-f-]{36}/"))
    expect(page.get_by_text("Done", exact=True).first).to_be_visible(timeout=SECONDS)


@pytest.mark.slow
@pytest.mark.parametrize("page", [1280], ids=["desktop"], indirect=True)
def test_a_product_goes_on_sale_at_its_time(page: Page, live_shop: LiveShop) -> None:
    sku = f"LAUNCH-{uuid4().hex[:6].upper()}"
    live_shop.manage(
        "shell",
        "-c",
        f"from tests.factories import add_product; add_product({sku!r}, active=False)",
    )
    in_the_shop = f"{live_shop.url}/products/{sku.lower()}/"
    sign_in(page, live_shop)
    page.goto(f"{live_shop.url}/admin/orders/product/?q={sku}")
    page.get_by_role("link", name=f"Thing {sku}").first.click()
    page.locator("#scheduled_changes-group").get_by_text("Add another").click()
    page.locator("#id_scheduled_changes-0-what").select_option(label="Goes on sale")
    due = timezone.localtime() + timedelta(minutes=1)
    page.locator("#id_scheduled_changes-0-at").fill(f"{due:%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("planned", exact=True)).to_be_visible()
    assert_fits(page)
    assert page.request.get(in_the_shop).status == 404

    wait_until(
        lambda: page.request.get(in_the_shop).ok, seconds=90, what="the product is in the shop"
    )

    assert timezone.localtime() >= due.replace(second=0, microsecond=0)
    page.goto(f"{live_shop.url}/?q={sku}")
    page.get_by_role("link", name=re.compile(sku)).first.click()
    expect(page.get_by_role("button", name="Add to cart")).to_be_visible()
