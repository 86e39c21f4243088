"""Steps and checks that the browser tests share."""

from playwright.sync_api import Page, expect

from tests.live import LiveShop


def assert_fits(page: Page) -> None:
    """Nothing sticks out to the right, so nobody has to scroll sideways."""
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0


def sign_in(page: Page, shop: LiveShop) -> None:
    page.goto(f"{shop.url}/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill((shop.data / "admin-password").read_text().strip())
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Overview").first).to_be_attached()


def pay_by_transfer(page: Page) -> None:
    """At the checkout, choose the way to pay that leads to no other page."""
    page.locator("input[name=payment][value=transfer]").check()


def add_to_cart(page: Page) -> None:
    """Press the product page's button, and wait until the page says that it is in the cart."""
    page.get_by_role("button", name="Add to cart").click()
    expect(page.locator(".toast")).to_be_visible()
