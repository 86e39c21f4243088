"""A shopper's steps to an order, and what the database says about it afterwards."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from uuid import uuid4

import psycopg
from playwright.sync_api import Browser, Page, expect

from tests.browser.pages import pay_by_transfer
from tests.live import LiveShop, wait_until

ORDER = re.compile(r"/orders/[0-9a-f-]{36}/(#payment)?$")
DRAFT = re.compile(r"/checkout/\?draft=")
MUG = "stoneware-mug"
CODE = re.compile(r"\b[0-9]{6}\b")


def new_email() -> str:
    """Return an address by which a test finds its own orders in the shared shop."""
    return f"zoe-{uuid4().hex[:10]}@example.org"


@contextmanager
def opened(browser: Browser, *, width: int = 1280, height: int = 900, **options) -> Iterator[Page]:
    """Open a page of another person's browser. Unlike the fixture it allows error answers."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, **{"locale": "en-GB", **options}
    )
    try:
        yield context.new_page()
    finally:
        context.close()


def speak(page: Page, shop: LiveShop, language: str) -> None:
    page.context.add_cookies([{"name": "django_language", "value": language, "url": shop.url}])


def put_in_cart(page: Page, shop: LiveShop, *, slug: str = MUG, quantity: int = 1) -> None:
    """Add a product from its page, in any language, and wait until the page says that it is in."""
    page.goto(f"{shop.url}/products/{slug}/")
    page.locator("#quantity").fill(str(quantity))
    page.locator(".buy button[type=submit]").click()
    expect(page.locator(".toast, .notice-success")).to_be_visible()


def fill_in_checkout(page: Page, shop: LiveShop, *, email: str) -> None:
    """Open the checkout, and fill in an order that is picked up and paid by transfer."""
    page.goto(f"{shop.url}/checkout/")
    page.locator("#id_email").fill(email)
    page.locator("#id_name").fill("Zoë 王")
    pay_by_transfer(page)


def choose_delivery(page: Page, *, postcode: str = "24103") -> None:
    """Have it sent to an address in Germany, and wait for the carriers' offers."""
    page.locator("input[name=handover][value=delivery]").check()
    page.locator("#id_country").select_option("DE")
    page.locator("#id_line1").fill("Am Kai 1")
    page.locator("#id_city").fill("Kiel")
    page.locator("#id_postcode").fill(postcode)
    page.locator("#id_postcode").blur()
    expect(page.locator(".quotes input").first).to_be_visible()


def send(page: Page) -> None:
    """Press the checkout's button."""
    page.locator("#totals button").click()


def order_once(page: Page, shop: LiveShop, *, email: str) -> None:
    """Go the whole way to the page of an order for one mug."""
    put_in_cart(page, shop)
    fill_in_checkout(page, shop, email=email)
    send(page)
    expect(page).to_have_url(ORDER)


def totals_of(shop: LiveShop, email: str) -> list[Decimal]:
    """Return the totals of the orders that were placed with this address."""
    with psycopg.connect(shop.env["DATABASE_URL"]) as connection:
        rows = connection.execute("SELECT total FROM orders_order WHERE email = %s", [email])
        return [total for (total,) in rows]


def let_holds_expire(page: Page, shop: LiveShop) -> None:
    """Wait until the checkout has set its products aside, and then until their time is over."""
    expect(page.locator(".hold-left")).to_be_visible()
    with psycopg.connect(shop.env["DATABASE_URL"], autocommit=True) as database:
        database.execute("UPDATE orders_hold SET expires_at = now() WHERE status = 'open'")
        still_open = "SELECT 1 FROM orders_hold WHERE status = 'open' AND expires_at < now()"
        wait_until(lambda: database.execute(still_open).fetchone() is None, seconds=10)


def new_product(shop: LiveShop, *, stock: int) -> str:
    """Add a product at 10.00 that no other test buys, and return its slug."""
    sku = f"OWN-{uuid4().hex[:8].upper()}"
    call = f"add_product({sku!r}, stock={stock}, price='10.00')"
    shop.manage("shell", "-c", f"from tests.factories import add_product; {call}")
    return sku.lower()


def code_for(email: str, shop: LiveShop, *, other_than: str = "") -> str:
    """Wait for the newest code that came to the address, and return it."""

    def found() -> list[str]:
        kept = sorted((shop.data / "mailbox").glob("*"), key=lambda file: file.name)
        texts = [file.read_text(errors="replace") for file in kept]
        codes = [CODE.search(text) for text in texts if email in text]
        return [code[0] for code in codes if code and code[0] != other_than]

    wait_until(found, seconds=60, what=f"a code for {email}")
    return found()[-1]
