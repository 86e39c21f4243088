"""A shopper's way through the shop, in a real browser on the live shop."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages import add_to_cart, assert_fits, pay_by_transfer
from tests.live import LiveShop
from tests.media_jobs.originals import camera_jpeg

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(180)]


def test_a_shopper_orders_and_watches_the_jobs_finish(page: Page, live_shop: LiveShop) -> None:
    page.goto(live_shop.url)
    page.locator(".grid a:not(:has-text('Sold out'))").first.click()
    add_to_cart(page)
    page.goto(f"{live_shop.url}/cart/")
    page.get_by_role("link", name=re.compile("checkout", re.IGNORECASE)).click()
    page.get_by_label("Name", exact=False).first.fill("Zoë 王小明")
    page.get_by_label("E-mail", exact=False).fill("zoe@straße.example")
    pay_by_transfer(page)
    page.get_by_role("button", name=re.compile("Place order")).last.click()

    expect(page).to_have_url(re.compile(r"/orders/[0-9a-f-]{36}/"))
    expect(page.locator(".steps-headline")).to_have_text(
        "Everything is sent. We wait for your payment.", timeout=90_000
    )
    expect(page.get_by_text("zoe@straße.example").first).to_be_visible()  # not strasse.example
    expect(page.locator("#pickup-pass img")).to_be_visible()
    assert page.locator("#pickup-pass img").evaluate("image => image.naturalWidth") == 1080
    assert page.locator("#progress[hx-trigger]").count() == 0  # the polling has ended
    assert_fits(page)


@pytest.mark.parametrize("page", [1280], ids=["desktop"], indirect=True)
def test_back_shows_the_order_that_the_list_has(page: Page, live_shop: LiveShop) -> None:
    page.goto(f"{live_shop.url}/?sort=newest")
    sort = page.locator("[data-list-form] select[name=sort]")
    sort.select_option("price")
    page.wait_for_url(re.compile("sort=price"))
    expect(sort).to_have_value("price")

    page.go_back()

    expect(page).to_have_url(re.compile("sort=newest"))
    expect(sort).to_have_value("newest")


def test_a_shopper_orders_with_a_picture_and_sees_what_is_made_of_it(
    page: Page, live_shop: LiveShop
) -> None:
    page.goto(f"{live_shop.url}/products/notebook-dotted/")
    picture = {"name": "ada.jpg", "mimeType": "image/jpeg", "buffer": camera_jpeg(6, 1200, 900)}
    page.locator("#upload input[type=file]").set_input_files(picture)  # type: ignore[arg-type]
    shown = page.locator("#upload [data-preview] img")
    expect(shown).to_be_visible()  # the browser's own, by its blob: address
    expect(page.locator("#upload")).to_contain_text("ada.jpg")
    expect(page.locator("#upload-check")).to_have_text("Your file can be used.", timeout=90_000)
    expect(shown).to_be_visible()
    assert_fits(page)
    add_to_cart(page)
    page.goto(f"{live_shop.url}/cart/")
    expect(page.locator(".cart-line")).to_contain_text("with ada.jpg")
    assert_fits(page)
    page.goto(f"{live_shop.url}/checkout/")
    page.get_by_label("Name", exact=False).first.fill("Ada Lovelace")
    page.get_by_label("E-mail", exact=False).fill("ada@example.org")
    pay_by_transfer(page)
    page.get_by_role("button", name=re.compile("Place order")).last.click()

    preview = page.locator(".step-preview img")
    expect(preview).to_be_visible(timeout=90_000)
    assert preview.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1000
    assert_fits(page)


def test_a_file_that_cant_be_used_is_said_so_before_it_is_in_the_cart(
    page: Page, live_shop: LiveShop
) -> None:
    page.goto(f"{live_shop.url}/products/notebook-dotted/")
    half = camera_jpeg(1, 1200, 900)[:6000]
    picture = {"name": "ada.jpg", "mimeType": "image/jpeg", "buffer": half}
    page.locator("#upload input[type=file]").set_input_files(picture)  # type: ignore[arg-type]

    error = page.locator("#upload-error")
    expect(error).to_contain_text("damaged or cut short", timeout=90_000)
    expect(page.locator("#upload input[name=upload]")).to_have_count(0)
    expect(page.get_by_role("button", name="Add to cart")).to_be_enabled()
    assert_fits(page)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_cart_with_something_in_it_leaves_the_header_as_it_is(
    page: Page, live_shop: LiveShop, language: str
) -> None:
    page.context.add_cookies([{"name": "django_language", "value": language, "url": live_shop.url}])
    header = page.locator(".site-header")
    page.goto(live_shop.url)
    empty = header.bounding_box()

    page.locator(".card-add button").first.click()

    expect(page.locator(".cart-count")).to_be_visible()
    assert header.bounding_box() == empty
    assert_fits(page)


@pytest.mark.parametrize("path", ["/", "/?q=zzz", "/cart/", "/mailbox/"])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_no_page_is_wider_than_its_window(
    page: Page, live_shop: LiveShop, path: str, language: str
) -> None:
    page.context.add_cookies([{"name": "django_language", "value": language, "url": live_shop.url}])

    page.goto(live_shop.url + path)

    expect(page.locator("html")).to_have_attribute("lang", language)
    assert_fits(page)
