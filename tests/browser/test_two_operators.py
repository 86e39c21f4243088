"""Double clicks, Back and reload after each step of an order, and two operators on one order."""

import re
from collections.abc import Iterator
from uuid import uuid4

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.pages import sign_in
from tests.live import LiveShop, wait_until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(180)]

ADDRESS = {"line1": "Mill Lane 1", "city": "York", "postcode": "YO1 7AA", "country": "GB"}
MUG = "KIT-MUG-BLUE"
COLLEAGUE = """
from orders.models import User
User.objects.create_superuser({name!r}, password={password!r})
"""
EVENTS = "SELECT kind, count(*) FROM orders_orderevent WHERE order_id = %s GROUP BY kind"
MONEY = """
SELECT (SELECT count(*) FROM orders_payment WHERE order_id = %(order)s),
    (SELECT count(*) FROM orders_refund WHERE order_id = %(order)s),
    (SELECT coalesce(sum(quantity), 0) FROM orders_stockmovement WHERE order_id = %(order)s)
"""
SMS = """
SELECT status FROM notifications_notification
WHERE order_id = %s AND channel = 'sms' ORDER BY created_at
"""


class OrderAtDesk:
    """One order and its page, and what the database says was done with it."""

    def __init__(self, shop: LiveShop, *, units: int = 2) -> None:
        self.shop = shop
        placed = httpx.post(
            f"{shop.url}/api/v1/orders",
            timeout=30,
            headers={"Idempotency-Key": str(uuid4())},
            json={
                "name": "Ada Lovelace",
                "email": f"{uuid4().hex[:12]}@example.org",
                "phone": f"+49170{uuid4().int % 10**7:07}",
                "lines": [{"sku": MUG, "quantity": units}],
                "address": ADDRESS,
            },
        )
        self.id = placed.raise_for_status().json()["id"]
        self.url = f"{shop.url}/admin/orders/order/{self.id}/change/"

    def step(self, name: str) -> str:
        return self.url.replace("change/", f"step/{name}/")

    def events(self) -> dict[str, int]:
        return dict(self.rows(EVENTS, self.id))

    def money(self) -> tuple[int, int, int]:
        """Return its payments and refunds, counted, and the units that it has from the stock."""
        [(payments, refunds, units)] = self.rows(MONEY, {"order": self.id})
        return payments, refunds, -units

    def sms(self) -> list[str]:
        return [status for (status,) in self.rows(SMS, self.id)]

    def rows(self, sql: str, values: object) -> list[tuple]:
        given = values if isinstance(values, dict) else (values,)
        with psycopg.connect(self.shop.env["DATABASE_URL"]) as connection:
            return connection.execute(sql, given).fetchall()


def signed_in(browser: Browser, shop: LiveShop, name: str = "", password: str = "") -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB").new_page()
    if not name:
        sign_in(page, shop)
        return page
    page.goto(f"{shop.url}/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Overview").first).to_be_attached()
    return page


@pytest.fixture(scope="module")
def admin(browser: Browser, live_shop: LiveShop) -> Iterator[Page]:
    page = signed_in(browser, live_shop)
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def mina(browser: Browser, live_shop: LiveShop) -> Iterator[Page]:
    """A colleague with a session of her own; her name is `mina-` and some letters."""
    name, password = f"mina-{uuid4().hex[:6]}", uuid4().hex
    live_shop.manage("shell", "-c", COLLEAGUE.format(name=name, password=password))
    page = signed_in(browser, live_shop, name, password)
    yield page
    page.context.close()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()
    page.wait_for_load_state()


def press_twice(page: Page, name: str) -> None:
    """Send the form of this button twice at the same moment, as an impatient person does.

    Two clicks are sometimes one request: the browser drops the first. Here both reach the shop.
    """
    button = page.get_by_role("button", name=name, exact=True).first
    answers = button.evaluate(
        """async (button) => {
            const form = button.form, body = new FormData(form, button);
            const send = () => fetch(form.action, {method: "POST", body, redirect: "manual"});
            return (await Promise.all([send(), send()])).map((answer) => answer.type);
        }"""
    )
    assert answers == ["opaqueredirect"] * 2  # both were taken for done
    button.click()  # and the same page a third time: it is what Back shows
    page.wait_for_load_state()


def go_back_and_reload(page: Page, url: str) -> None:
    """Go back to the form, reload it, and return to the order's page."""
    page.go_back()
    page.reload()
    page.goto(url)


def test_each_step_is_taken_once_however_often_its_page_is_sent(
    admin: Page, live_shop: LiveShop
) -> None:
    order = OrderAtDesk(live_shop)

    admin.goto(order.step("pay"))
    admin.get_by_label("Reference").fill(f"Statement {uuid4().hex[:6]}")
    press_twice(admin, "Take a payment")
    go_back_and_reload(admin, order.url)
    expect(admin.get_by_text("Paid", exact=True).first).to_be_visible()
    assert order.money() == (1, 0, 2)

    press_twice(admin, "Mark as packed")
    go_back_and_reload(admin, order.url)
    assert order.events()["packed"] == 1

    admin.goto(order.step("ship"))
    admin.get_by_label("Carrier").fill("DHL")
    press_twice(admin, "Ship")
    go_back_and_reload(admin, order.url)
    assert order.events()["shipped"] == 1

    admin.goto(order.step("refund"))
    admin.get_by_label(re.compile("mug", re.IGNORECASE)).fill("1")
    press_twice(admin, "Refund")
    go_back_and_reload(admin, order.url)
    assert order.money() == (1, 1, 2)

    again = OrderAtDesk(live_shop)
    admin.goto(again.step("cancel"))
    admin.get_by_label("Reason").fill("Ordered twice")
    press_twice(admin, "Cancel the order")
    go_back_and_reload(admin, again.url)
    assert (again.events()["cancelled"], again.money()) == (1, (0, 0, 0))

    # The control: two pages are two decisions, so what was counted above is no accident.
    admin.goto(order.step("refund"))
    press(admin, "Refund")
    assert order.money() == (1, 2, 2)


def test_an_sms_that_was_sent_goes_out_once_more_and_not_a_third_time(
    admin: Page, live_shop: LiveShop
) -> None:
    order = OrderAtDesk(live_shop)
    wait_until(lambda: order.sms() == ["done"], seconds=60, what="the SMS is sent")
    admin.goto(order.url)
    sent = admin.locator(".is-message").filter(has_text="SMS")
    sent.get_by_role("link", name="Send again").click()

    press_twice(admin, "Send")

    expect(admin.get_by_text("has sent its copy").first).to_be_visible()
    expect(admin.locator(".is-decision").filter(has_text="Send again")).to_contain_text("admin")
    wait_until(lambda: order.sms() == ["done", "done"], seconds=60, what="the copy is sent")

    # The control: a page that is opened anew is a new decision.
    sent.first.get_by_role("link", name="Send again").click()
    press(admin, "Send")
    assert len(order.sms()) == 3


def test_the_second_operator_is_told_what_changed_and_by_whom(
    admin: Page, mina: Page, live_shop: LiveShop
) -> None:
    order = OrderAtDesk(live_shop)

    # Both open the cancellation and the contact; the first pays and corrects it.
    mina.goto(order.step("cancel"))
    admin.goto(order.step("pay"))
    admin.get_by_label("Reference").fill(f"Statement {uuid4().hex[:6]}")
    press(admin, "Take a payment")
    mina.get_by_label("Reason").fill("Not paid")
    press(mina, "Cancel the order")
    expect(mina.get_by_text("admin").first).to_be_visible()
    expect(mina.get_by_label("Reason")).to_have_value("Not paid")
    assert order.events().get("cancelled", 0) == 0

    for page in (admin, mina):
        page.goto(order.step("contact"))
    admin.get_by_label("Street and number").fill("Mill Lane 2")
    press(admin, "Correct the contact")
    mina.get_by_label("Street and number").fill("Mill Lane 3")
    press(mina, "Correct the contact")
    expect(
        mina.get_by_text(re.compile("was changed to “.?Mill Lane 2.?” by admin"))
    ).to_be_visible()
    admin.goto(order.url)
    expect(admin.get_by_text("Mill Lane 2").first).to_be_visible()
    expect(admin.get_by_text("Mill Lane 3")).to_have_count(0)

    # Both refund a unit of the two; only one page had seen the other's.
    for page in (admin, mina):
        page.goto(order.step("refund"))
        page.get_by_label(re.compile("mug", re.IGNORECASE)).fill("1")
    press(admin, "Refund")
    press(mina, "Refund")
    expect(mina.get_by_text("admin").first).to_be_visible()
    assert order.money()[1] == 1

    # The control: told of it, the second one decides again, and then it counts.
    press(mina, "Refund")
    assert order.money()[1] == 2
