"""Films of shoppers and of products, and originals at the desk, in a real browser."""

import re
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import objections
from tests.browser.pages import add_to_cart, assert_fits, pay_by_transfer, sign_in
from tests.live import LiveShop, wait_until
from tests.media_jobs.films import film
from tests.media_jobs.originals import photo, saved

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


def test_a_products_film_from_the_desk_plays_in_the_gallery(
    page: Page, live_shop: LiveShop, tmp_path: Path
) -> None:
    sku = f"FILM-{uuid4().hex[:6].upper()}"
    live_shop.manage(
        "shell", "-c", f"from tests.factories import add_product; add_product({sku!r})"
    )
    front = tmp_path / "front.png"
    front.write_bytes(saved(photo(1600, 1200), "PNG"))
    uploads = {
        "A front view": front,
        "How it is folded": film(tmp_path / "folded.mp4", seconds=3, size="1280x720"),
    }
    sign_in(page, live_shop)
    page.goto(f"{live_shop.url}/admin/orders/product/?q={sku}")
    page.get_by_role("link", name=f"Thing {sku}").first.click()
    for index, (alt, upload) in enumerate(uploads.items()):
        page.locator("#media-group").get_by_text("Add another").click()
        page.locator(f"#id_media-{index}-upload").set_input_files(upload)
        page.locator(f"#id_media-{index}-alt").fill(alt)
    page.get_by_role("button", name="Save and continue editing").click()
    assert_fits(page)

    in_the_shop = f"{live_shop.url}/products/{sku.lower()}/"
    shown = page.context.new_page()
    wait_until(
        lambda: "<video" in httpx.get(in_the_shop).text, seconds=120, what="the film is shown"
    )
    shown.goto(in_the_shop)
    assert_fits(shown)
    shown.get_by_role("link", name="Video 2").click()
    video = shown.locator(".gallery-row video")
    expect(video).to_be_in_viewport(ratio=0.9)
    assert video.get_attribute("poster")
    assert video.get_attribute("aria-label") == "How it is folded"
    video.evaluate("video => { video.muted = true; return video.play() }")
    shown.wait_for_timeout(300)
    assert video.evaluate("video => video.currentTime > 0 && !video.paused")
    assert objections(shown) == []
