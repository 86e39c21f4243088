"""An operator's day: fifteen tasks by the desk's buttons, in the clicks of docs/operating.md."""

import csv
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from random import choices
from string import ascii_lowercase
from uuid import uuid4

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.console import errors_of, true_errors
from tests.browser.operator import Operator, promised
from tests.browser.pages import sign_in
from tests.live import LiveShop, wait_until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(180)]

NAMES = ("Ada Lovelace", "王小明", "José Müller", "Zoë O’Hara", "محمد علي", "Björk Jónsdóttir")
NOTEBOOK, MUG = "DSK-NOTEBOOK", "KIT-MUG-BLUE"
SLIPS = 50
JOB_MS = 60_000
"""Milliseconds that something may take which a relay and a worker do."""

PAY = """
from decimal import Decimal
from orders.lifecycle.transitions import pay
from orders.models import Order
for order in Order.objects.filter(status="placed", email__endswith="@paid.example"):
    pay(order_id=order.pk, method="transfer", reference=f"T-{order.number}", amount=order.total)
"""
FAILED = """
INSERT INTO notifications_notification
    (id, kind, context, event, channel, recipient, language, status, error, text, finished_at)
VALUES (%s, 'order_link.email', '{}', 'order_link', 'email', %s, 'en', 'failed', %s, 'Hello', now())
"""


class Day:
    """A shop with a day's work in it, and its operator."""

    def __init__(self, shop: LiveShop, desk: Operator) -> None:
        self.shop, self.desk, self.page = shop, desk, desk.page
        self.overview = f"{shop.url}/admin/"
        self.lists = f"{shop.url}/admin/orders/order/"
        with ThreadPoolExecutor(8) as people:
            self.paid = list(people.map(self.paid_order, islice(cycle(NAMES), SLIPS + 1)))
        shop.manage("shell", "-c", PAY)

    def order(self, name: str = NAMES[0], *, skus: Iterable[str] = (MUG,), **fields: object) -> str:
        """Place an order as a program does, and return the URL of its page at the desk."""
        wanted = {
            "name": name,
            "email": f"{uuid4().hex[:12]}@example.org",
            "lines": [{"sku": sku, "quantity": 1} for sku in skus],
            **fields,
        }
        placed = httpx.post(
            f"{self.shop.url}/api/v1/orders",
            timeout=30,
            headers={"Idempotency-Key": str(uuid4())},
            json=wanted,
        )
        return f"{self.lists}{placed.raise_for_status().json()['id']}/change/"

    def paid_order(self, name: str) -> str:
        """Place an order that PAY finds."""
        return self.order(name, skus=(NOTEBOOK, MUG), email="ada@paid.example")

    def button(self, name: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def link(self, name: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("link", name=name, exact=True)

    def menu(self, name: str) -> Locator:
        """Return the link of the menu on the left; its icon is a part of its name."""
        return self.page.locator("#nav-sidebar").get_by_role("link", name=re.compile(f" {name}$"))

    def card(self, heading: str) -> Locator:
        """Return the card with this heading."""
        return self.page.locator(".desk-card").filter(
            has=self.page.get_by_role("heading", name=heading, exact=True)
        )

    def phone(self) -> str:
        """Return a number that nobody else has."""
        return f"+49170{uuid4().int % 10**7:07}"

    def sms(self, order_id: str) -> str:
        """Return the status of the order's SMS; empty if there is none yet."""
        asked = (
            "SELECT status FROM notifications_notification WHERE order_id = %s AND channel = 'sms'"
        )
        with psycopg.connect(self.shop.env["DATABASE_URL"]) as connection:
            row = connection.execute(asked, (order_id,)).fetchone()
        return row[0] if row else ""

    def sql(self, statement: str, *values: object) -> None:
        with psycopg.connect(self.shop.env["DATABASE_URL"]) as connection:
            connection.execute(statement, values)


@pytest.fixture(scope="module")
def day(browser: Browser, live_shop: LiveShop) -> Iterator[Day]:
    """One session at the desk for the whole day; a page that logs an error fails the day."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    page = context.new_page()
    errors = errors_of(page)
    sign_in(page, live_shop)
    yield Day(live_shop, Operator(page))
    context.close()
    assert true_errors(errors) == []


def test_an_order_is_found_by_a_phone_number_as_people_write_it(day: Day) -> None:
    phone = day.phone()
    day.order("José Müller", phone=phone)
    with day.desk.task("Find an order", at=day.overview):
        search = day.page.get_by_role("searchbox", name="Find an order")
        day.desk.fill(search, f"(0170) {phone[6:9]}-{phone[9:]}")
        search.press("Enter")
        day.desk.picture(showing=day.link(re.compile(r"^T\d+$")))
        day.desk.click(day.link(re.compile(r"^T\d+$")))
    expect(day.page.get_by_text("José Müller").first).to_be_visible()


def test_a_payment_is_taken(day: Day) -> None:
    with day.desk.task("Take a payment", at=day.order()):
        day.desk.click(day.link("Take a payment"))
        day.desk.fill(day.page.get_by_label("Reference"), f"Statement {uuid4().hex[:6]}")
        day.desk.picture(showing=day.button("Take a payment"))
        day.desk.click(day.button("Take a payment"))
    expect(day.page.get_by_text("Paid", exact=True).first).to_be_visible()


def test_a_line_is_refunded_from_the_orders_page(day: Day) -> None:
    with day.desk.task("Refund a line", at=day.paid[0]):
        day.desk.click(day.link("Refund this line").last)
        day.desk.picture(showing=day.button("Refund"))
        day.desk.click(day.button("Refund"))
    expect(day.page.get_by_text("owed to the customer").first).to_be_visible()
    refunded = day.page.locator(".desk-lines [data-label=Refunded]")
    assert refunded.all_inner_texts() == ["0", "1"]


def test_an_order_is_cancelled_and_its_units_return(day: Day) -> None:
    with day.desk.task("Cancel an order", at=day.order()):
        day.desk.click(day.link("Cancel the order"))
        day.desk.fill(day.page.get_by_label("Reason"), "You ordered it twice")
        expect(day.page.get_by_text("1 unit returns to the stock.")).to_be_visible()
        day.desk.picture(showing=day.button("Cancel the order"))
        day.desk.click(day.button("Cancel the order"))
    expect(day.page.get_by_text("Cancelled", exact=True).first).to_be_visible()
    expect(day.page.get_by_text("+1")).to_be_visible()


def test_an_sms_that_was_sent_is_sent_again(day: Day) -> None:
    order = day.order(phone=day.phone())
    order_id = order.split("/")[-3]
    wait_until(lambda: day.sms(order_id) == "done", seconds=60, what="the SMS is sent")
    with day.desk.task("Resend an SMS", at=order):
        sent = day.page.locator(".is-message").filter(has_text="SMS")
        day.desk.click(sent.get_by_role("link", name="Send again"))
        day.desk.picture(showing=day.button("Send"))
        day.desk.click(day.button("Send"))
    expect(day.page.get_by_text("the copy is queued").first).to_be_visible()
    expect(sent).to_have_count(2)


def test_all_messages_that_failed_for_one_reason_are_sent(day: Day) -> None:
    reason = f"greylisted by {''.join(choices(ascii_lowercase, k=8))}"
    for name in ("ada", "bob", "cyd"):
        day.sql(
            FAILED, str(uuid4()), f"{name}@example.org", f"550 5.1.1 <{name}@example.org>: {reason}"
        )
    with day.desk.task("Retry all of one error", at=day.overview):
        row = day.page.get_by_role("row").filter(has_text=reason)
        day.desk.click(row.get_by_role("link", name="Retry all …"))
        day.desk.picture(showing=day.button("Retry"))
        day.desk.click(day.button("Retry"))
    expect(day.page.get_by_text("3 jobs are queued again.")).to_be_visible()


def test_stock_is_received(day: Day) -> None:
    with day.desk.task("Receive stock", at=day.overview):
        day.desk.click(day.card("Low stock").get_by_role("link").first)
        day.desk.fill(day.page.get_by_label("Units that came in"), "24")
        day.desk.fill(day.page.get_by_label("Reason"), "Delivery note 4711")
        day.desk.picture(showing=day.button("Write movement"))
        day.desk.click(day.button("Write movement"))
    expect(day.page.get_by_text(re.compile(r"\d+ units on hand\."))).to_be_visible()


def test_stock_is_taken_by_a_counted_list(day: Day, tmp_path: Path) -> None:
    counted = tmp_path / "counted.csv"
    with day.desk.task("Take stock", at=day.overview):
        day.desk.click(day.menu("Products"))
        day.desk.click(day.page.get_by_role("link", name="Stock-take"))
        with day.page.expect_download() as download:
            day.desk.click(day.link("Count list (CSV)"))
        count_one_less(download.value.path(), counted, sku=MUG)
        day.page.get_by_label("The counted list").set_input_files(counted)
        day.desk.fields += 1
        day.desk.fill(day.page.get_by_label("Reason"), "Shelf 3 counted")
        day.desk.click(day.button("Show the differences"))
        expect(day.button("Take the differences over")).to_be_visible(timeout=JOB_MS)
        expect(day.page.locator("tbody tr").first).to_contain_text(MUG)  # the others come later
        day.desk.picture(showing=day.button("Take the differences over"))
        day.desk.click(day.button("Take the differences over"))
    expect(day.page.get_by_role("heading", name="Report")).to_be_visible(timeout=JOB_MS)


def test_what_the_list_shows_is_exported(day: Day) -> None:
    with day.desk.task("Export a filtered list", at=day.overview):
        day.desk.click(day.link("Paid and not packed"))
        day.desk.click(day.page.locator("summary").filter(has_text="Export"))
        day.desk.picture(showing=day.link("CSV").first)
        with day.page.expect_download() as download:
            day.desk.click(day.link("CSV").first)
    with open(download.value.path(), encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert {row["status"] for row in rows} == {"Paid"}
    assert len(rows) >= SLIPS


def test_fifty_packing_slips_are_printed(day: Day) -> None:
    with day.desk.task("Print 50 packing slips", at=day.overview):
        day.desk.click(day.link("Paid and not packed"))
        day.desk.click(day.page.locator("#action-toggle"))
        day.desk.choose(day.page.locator("select[name=action]"), "Packing slips")
        day.desk.click(day.button("Run"))
        expect(day.link("Download")).to_be_visible(timeout=JOB_MS)
        day.desk.picture(showing=day.link("Download"))
        with day.page.expect_download() as download:
            day.desk.click(day.link("Download"))
    assert download.value.path().read_bytes().count(b"/Type /Page\n") >= SLIPS


def test_a_queue_is_paused(day: Day) -> None:
    with day.desk.task("Pause a queue", at=day.overview):
        day.desk.click(day.menu("All jobs"))
        day.desk.click(day.link("Pause").first)
        day.desk.fill(day.page.get_by_label("Reason"), "The mail provider is down")
        day.desk.picture(showing=day.button("Pause"))
        day.desk.click(day.button("Pause"))
    expect(day.page.get_by_text("The mail provider is down").first).to_be_visible()
    day.button("Resume").click()  # for the tests that follow
    expect(day.button("Resume")).to_have_count(0)


def test_an_order_is_made_by_phone(day: Day) -> None:
    email = f"{uuid4().hex[:12]}@example.org"
    day.order(NAMES[2], email=email)
    with day.desk.task("Make an order by phone", at=day.overview):
        day.desk.click(day.page.get_by_role("link", name="Make an order"))
        day.desk.fill(day.page.get_by_label("Find by name, e-mail, phone or order number"), email)
        day.desk.click(day.button("Take over").first)
        day.desk.fill(day.page.get_by_label("Find by words or SKU"), "blue mug")
        day.desk.click(day.button("Add").first)
        expect(day.page.locator("#order-summary")).to_contain_text("1 ×")
        day.desk.picture(showing=day.button("Place the order"))
        day.desk.click(day.button("Place the order"))
    expect(day.page.get_by_role("link", name="Take a payment")).to_be_visible()


def test_an_address_is_corrected(day: Day) -> None:
    address = {"line1": "Hauptstrase 1", "postcode": "10115", "city": "Berlin", "country": "DE"}
    with day.desk.task("Correct an address", at=day.order(address=address)):
        day.desk.click(day.link("Correct the contact"))
        day.desk.fill(day.page.get_by_label("Street and number"), "Hauptstraße 1")
        day.desk.picture(showing=day.button("Correct the contact"))
        day.desk.click(day.button("Correct the contact"))
    expect(day.page.get_by_text("Hauptstraße 1").first).to_be_visible()


def test_a_clerk_is_added(day: Day) -> None:
    name, password = f"mina-{uuid4().hex[:6]}", uuid4().hex
    with day.desk.task("Add a clerk", at=day.overview):
        day.desk.click(day.menu("Users"))
        day.desk.click(day.link("add"))
        day.desk.fill(day.page.get_by_label("Username"), name)
        day.desk.fill(day.page.get_by_label("Password", exact=True), password)
        day.desk.fill(day.page.get_by_label("Password confirmation"), password)
        day.desk.click(day.page.get_by_label(re.compile("Clerk –")))
        day.desk.picture(showing=day.page.get_by_label("Username"))
        day.desk.click(day.button("Save"))
    expect(day.page.get_by_text(name).first).to_be_visible()


def test_the_overview_tells_what_needs_somebody(day: Day) -> None:
    with day.desk.task("Read the overview", at=day.overview):
        day.desk.picture(showing=day.card("Today"))
        tasks = day.card("What needs somebody").get_by_role("row")
        unpacked = tasks.filter(has_text="Paid and not packed").get_by_role("cell").last
        assert int(re.sub(r"\D", "", unpacked.inner_text())) >= SLIPS  # or "more than 200"


def test_each_task_of_the_guide_is_done_here() -> None:
    done = re.findall(r'desk\.task\("(.+?)"', Path(__file__).read_text())

    assert set(done) == set(promised())


def count_one_less(count_list: Path, counted: Path, *, sku: str) -> None:
    """Fill in a count list as a person who finds one unit less of one product."""
    with open(count_list, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["counted"] = str(int(row["on hand"]) - 1) if row["sku"] == sku else row["on hand"]
    with open(counted, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
