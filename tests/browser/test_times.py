"""The schedule at the desk, in a real browser on the live shop: an entry is moved and run."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_shop import assert_fits
from tests.live import LiveShop

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(180)]

SECONDS = 60_000
"""Milliseconds that something may take which a relay and a worker do."""


def sign_in(page: Page, shop: LiveShop) -> None:
    page.goto(f"{shop.url}/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill((shop.data / "admin-password").read_text().strip())
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Overview").first).to_be_attached()


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
