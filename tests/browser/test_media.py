"""A film from the shopper to its preview, and originals at the desk, in a real browser."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import add_to_cart, assert_fits, pay_by_transfer, sign_in
from tests.live import LiveShop
from tests.media_jobs.films import film

pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.xdist_group("live"),
    pytest.mark.timeout(240),
]

SECONDS = 120_000
"""Milliseconds that something may take which a relay and a worker do."""
ASK_FOR_FILMS = """
from orders.models import Product
Product.objects.filter(slug="notebook-dotted").update(personalisation="either")
"""


def test_a_shopper_orders_with_a_film_and_sees_its_preview(
    page: Page, live_shop: LiveShop, tmp_path: Path
) -> None:
    live_shop.manage("shell", "-c", ASK_FOR_FILMS)
    original = film(tmp_path / "ada.mp4", seconds=5, size="1280x720")
    page.goto(f"{live_shop.url}/products/notebook-dotted/")
    page.locator("#upload input[type=file]").set_input_files(original)
    expect(page.locator("#upload")).to_contain_text("ada.mp4")
    expect(page.locator("#upload-check")).to_have_text("Your file can be used.", timeout=SECONDS)
    add_to_cart(page)
    page.goto(f"{live_shop.url}/checkout/")
    page.get_by_label("Name", exact=False).first.fill("Ada Lovelace")
    page.get_by_label("E-mail", exact=False).fill("ada@example.org")
    pay_by_transfer(page)
    page.get_by_role("button", name=re.compile("Place order")).last.click()

    preview = page.locator("video.step-preview")
    expect(preview).to_be_visible(timeout=SECONDS)
    preview.evaluate("video => { video.muted = true; return video.play() }")
    assert preview.evaluate("video => [video.videoWidth, video.videoHeight]") == [852, 480]
    assert_fits(page)


def test_an_original_at_the_desk_fits_its_window(page: Page, live_shop: LiveShop) -> None:
    sign_in(page, live_shop)
    page.goto(f"{live_shop.url}/admin/media_jobs/asset/")
    assert_fits(page)
    page.locator("#result_list a[href*='/change/']").first.click()

    expect(page.get_by_role("heading", name="Before")).to_be_visible()
    assert_fits(page)
