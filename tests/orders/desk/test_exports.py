"""Exports of the desk's lists: the file holds what the list shows."""

import os
from datetime import UTC, datetime
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from orders import tasks
from orders.imports.package import Package, PackedFile
from orders.imports.report import Outcome
from orders.imports.run import import_products
from orders.models import Category, DeskJob, Order, OrderLine, Payment, Product, StockMovement, User
from project.desk import csv_stream
from project.desk.audit_log import told
from project.desk.sheets import CHUNK_ROWS
from tests.desk import placed
from tests.factories import add_product
from tests.orders.desk.exported import column, exported

pytestmark = pytest.mark.django_db

ORDERS = "orders/order/export.csv"
FILL = """
INSERT INTO orders_order (id, door, fingerprint, name, email, phone, language, address, currency,
    items_total, total, placed_at)
SELECT gen_random_uuid(), 'shop', '', 'Ada Love' || i, 'c' || i || '@example.org', '', 'en',
    '{"country": "DE", "city": "Berlin"}', 'EUR', 5, 5, now() - make_interval(mins => i)
FROM generate_series(1, %s) AS i
"""


def fill(count: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(FILL, [count])


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"q": "lovelace"},
        {"status__exact": "cancelled"},
        {"o": "1"},
        {"o": "-1"},
        {"door__exact": "api"},
        {"placed_at_from": "2026-01-01", "placed_at_to": "2026-01-31"},
        {"country": "FR"},
        {"product": "CUP"},
    ],
)
def test_a_file_holds_the_rows_that_the_list_shows_in_its_order(
    query: dict[str, str], admin_client: Client
) -> None:
    orders = [placed(add_product(sku), name=name) for sku, name in NAMED]
    changes: list[dict[str, Any]] = [
        {"status": "cancelled"}, {"door": "api"}, {"address": {"country": "FR"}},
        {"placed_at": datetime(2026, 1, 31, 12, tzinfo=UTC)},
    ]  # fmt: skip
    for order, change in zip(orders, changes, strict=True):
        Order.objects.filter(pk=order.pk).update(**change)

    shown = admin_client.get("/admin/orders/order/", query).context["cl"].result_list
    file = exported(admin_client, ORDERS, **query)

    assert column(file, "number") == [order.display_number for order in shown]
    assert shown


NAMED = [("MUG", "Ada Lovelace"), ("CUP", "Bob"), ("TEA", "Eve Lovelace"), ("POT", "Zoë")]


def test_a_page_of_the_list_is_no_part_of_what_it_shows(admin_client: Client) -> None:
    fill(60)
    listed = admin_client.get("/admin/orders/order/").context["cl"]
    second = listed.paginator.next.removeprefix("?p=")

    assert len(exported(admin_client, ORDERS, p=second)) == 61


def test_numbers_times_and_texts_have_one_form(admin_client: Client, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    order = placed(add_product("MUG", price="12.30"), quantity=2, name='Ada "A", née\nByron')
    moment = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    Order.objects.filter(pk=order.pk).update(placed_at=moment)

    file = exported(admin_client, ORDERS)

    assert column(file, "total") == ["24.60"]
    assert column(file, "placed") == ["2026-07-02T00:30:00+02:00"]
    assert column(file, "name") == ['Ada "A", née\nByron']


def test_a_file_is_in_the_language_of_the_list(admin_client: Client, settings: Any) -> None:
    placed(add_product("MUG"))
    admin_client.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"

    file = exported(admin_client, ORDERS)

    assert column(file, "状态") == ["已下单"]


@pytest.mark.parametrize("name", ["=1+1", "+49", "-2", "@SUM(A1)", "\tx", "\rx", "'=1"])
def test_no_cell_is_run_by_a_spreadsheet(name: str, admin_client: Client) -> None:
    placed(add_product("MUG"), name=name)

    assert column(exported(admin_client, ORDERS), "name") == [f"'{name}"]


def test_lines_and_payments_follow_their_orders(admin_client: Client) -> None:
    mug, cup = add_product("MUG"), add_product("CUP", price="3")
    first, second = placed(mug), placed(mug, name="Bob")
    OrderLine.objects.create(
        order=first, product=cup, sku="CUP", name="Cup", quantity=1, unit_price=3, total=3
    )
    Payment.objects.create(order=first, method="cash", reference="B-7", amount="5.50")

    lines = exported(admin_client, "orders/order/export-lines.csv")
    payments = exported(admin_client, "orders/order/export-payments.csv", q="lovelace")

    numbers = [second.display_number, first.display_number, first.display_number]
    assert column(lines, "order") == numbers
    assert column(lines, "SKU") == ["MUG", "MUG", "CUP"]
    assert column(payments, "amount") == ["5.50"]


def test_stock_movements_users_and_jobs_have_files(admin_client: Client) -> None:
    order = placed(add_product("MUG"))
    StockMovement.objects.create(product_id=order.lines.get().product_id, kind="correction",
                                 quantity=-3, reason="broken")  # fmt: skip
    User.objects.create_user("ada", email="ada@example.org")

    movements = exported(admin_client, "orders/stockmovement/export.csv", q="MUG")
    users = exported(admin_client, "orders/user/export.csv", q="ada")
    messages = exported(admin_client, "notifications/notification/export.csv")
    media = exported(admin_client, "media_jobs/mediajob/export.csv", status__exact="queued")
    desk = exported(admin_client, "orders/deskjob/export.csv")

    assert column(movements, "units") == ["-3"]
    assert column(users, "username") == ["ada"]
    assert column(messages, "order") == [order.display_number]
    assert column(media, "job") == ["Pickup pass"]
    assert len(desk) == 1


@pytest.mark.parametrize("path", [ORDERS, "orders/product/export.csv", "orders/user/export.csv"])
def test_who_may_not_see_a_list_gets_no_file(path: str, client: Client) -> None:
    user = User.objects.create_user("looker", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_category"))
    client.force_login(user)

    assert client.get(f"/admin/{path}").status_code == 403


@pytest.mark.parametrize(
    "query", [{"nonsense": "1"}, {"status__exact": "a\0"}, {"user__password": "x"}]
)
def test_what_is_no_filter_of_the_list_is_refused(
    query: dict[str, str], admin_client: Client
) -> None:
    assert admin_client.get(f"/admin/{ORDERS}", query).status_code == 400


def test_a_file_is_read_by_a_cursor_and_sent_part_by_part(admin_client: Client) -> None:
    fill(3 * CHUNK_ROWS)

    answer: Any = admin_client.get(f"/admin/{ORDERS}")
    with CaptureQueriesContext(connection) as queries:
        parts = list(answer.streaming_content)

    assert isinstance(answer, StreamingHttpResponse)
    assert len(parts) > 10
    assert max(map(len, parts)) < 2 * csv_stream.PART_LETTERS
    assert b"".join(parts).count(b"\r\n") == 3 * CHUNK_ROWS + 1
    assert not any("OFFSET" in each["sql"] for each in queries)


def test_the_first_rows_come_before_the_last_are_read(admin_client: Client) -> None:
    fill(3 * CHUNK_ROWS)
    read = []
    real = Order.from_db.__func__

    def counted(model: Any, *args: Any) -> Any:
        read.append(1)
        return real(model, *args)

    answer: Any = admin_client.get(f"/admin/{ORDERS}")
    with patch.object(Order, "from_db", classmethod(counted)):
        parts = iter(answer.streaming_content)
        next(parts)
        next(parts)
        first = len(read)
        answer._iterator.close()

    assert 0 < first <= CHUNK_ROWS


def test_only_a_few_downloads_hold_a_connection(admin_client: Client) -> None:
    placed(add_product("MUG"))
    with patch.object(csv_stream, "_downloads", BoundedSemaphore(1)):
        held: Any = admin_client.get(f"/admin/{ORDERS}")
        refused = admin_client.get(f"/admin/{ORDERS}")
        list(held.streaming_content)
        again = exported(admin_client, ORDERS)

    assert (refused.status_code, refused["Retry-After"]) == (503, "60")
    assert len(again) == 2


def test_a_reader_that_is_too_slow_is_cut_off(admin_client: Client) -> None:
    fill(CHUNK_ROWS)
    with patch.object(csv_stream, "MOST_SECONDS", -1):
        answer: Any = admin_client.get(f"/admin/{ORDERS}")
        with pytest.raises(csv_stream.DownloadTooLongError):
            list(answer.streaming_content)


def resident() -> int:
    """Return the bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_hundred_thousand_rows_take_little_memory(admin_client: Client) -> None:
    fill(100_000)
    answer: Any = admin_client.get(f"/admin/{ORDERS}")
    parts = iter(answer.streaming_content)
    next(parts)
    idle = resident()
    sent, most = 0, 0
    for part in parts:
        sent += part.count(b"\r\n")
        most = max(most, resident())

    assert sent == 100_000
    assert most - idle < 30_000_000


def imported(name: str, data: bytes) -> dict[str, Outcome]:
    package = Package([PackedFile(name, len(data), lambda: SimpleUploadedFile(name, data))])
    report = import_products(package, dry_run=False, on_progress=lambda done, total: None)
    return {row.sku: row.outcome for row in report.rows}


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_exported_products_are_imported_as_they_were(
    language: str, admin_client: Client, settings: Any
) -> None:
    admin_client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    for sku, name, text in ODD_PRODUCTS:
        product = add_product(sku, price="12.30")
        Product.objects.filter(pk=product.pk).update(name=name, description=text)
    Product.objects.filter(sku="OFF").update(is_active=False)
    before = list(Product.objects.order_by("sku").values())
    answer: Any = admin_client.get("/admin/orders/product/export.csv")
    data = b"".join(answer.streaming_content)

    unchanged = imported("products.csv", data)
    Product.objects.update(name="x", description="x", price=1, is_active=False)
    changed = imported("products.csv", data)

    assert set(unchanged.values()) == {Outcome.UNCHANGED}
    assert set(changed.values()) == {Outcome.CHANGED}
    assert list(Product.objects.order_by("sku").values()) == before
    assert Category.objects.count() == 1


ODD_PRODUCTS = [
    ("MUG", '=HYPERLINK("http://x")', "two\nlines, with a comma"),
    ("00123", "'=1 is what it is called", '"quoted"'),
    ("OFF", "杯子", "+1"),
]


def test_the_list_leads_to_its_files_with_its_filters(admin_client: Client) -> None:
    page = admin_client.get("/admin/orders/order/", {"q": "ada", "p": "2"}).content.decode()

    assert 'href="export.csv?q=ada"' in page
    assert 'href="export-lines.csv?q=ada"' in page


def test_the_list_sends_its_workbooks_form_to_where_workbooks_are_made(
    admin_client: Client,
) -> None:
    """The list of desk jobs is exported too: its own file's address is another."""
    page = admin_client.get("/admin/orders/order/").content.decode()

    assert 'action="/admin/orders/deskjob/export/"' in page


def test_control_a_file_that_is_sent_whole_is_seen_as_such(admin_client: Client) -> None:
    """With the parts as large as the file, the test of the parts would fail."""
    fill(3 * CHUNK_ROWS)
    with patch.object(csv_stream, "PART_LETTERS", 10**9):
        answer: Any = admin_client.get(f"/admin/{ORDERS}")
        parts = list(answer.streaming_content)

    assert len(parts) == 2


# ── The audit log ───────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("is_read", [True, False], ids=["whole", "broken off"])
def test_who_took_which_list_with_which_filters_and_how_many_rows_is_logged(
    is_read: bool, admin_client: Client
) -> None:
    fill(3 * CHUNK_ROWS)
    query = {"q": "love", "status__exact": "placed", "placed_at_from": "2020-01-01"}

    answer: Any = admin_client.get(f"/admin/{ORDERS}", query)
    begun = told(LogEntry.objects.get())
    # The client's iterator closes the answer, and keeps the test's connection open meanwhile.
    if is_read:
        assert answer.getvalue()
    else:
        next(iter(answer))
        answer._iterator.close()
    entry = LogEntry.objects.get()
    words = told(entry)

    assert begun.sentences == ["Export of Orders as CSV: not finished"]
    rows = "3000 rows" if is_read else "broken off after 0 rows"
    assert words.sentences == [f"Export of Orders as CSV: {rows}"]
    assert [(value.label, value.new) for value in words.values] == [
        ("Search", "love"), ("Status", "Placed"), ("Placed", "≥ 2020-01-01"),
    ]  # fmt: skip
    assert (entry.user.get_username(), entry.content_type.model) == ("admin", "order")
    page = admin_client.get("/admin/admin/logentry/", headers={"accept-language": "zh-hans"})
    assert "Export of" not in page.content.decode()


def test_a_logged_filters_choice_is_translated_and_a_search_stays_as_typed(
    admin_client: Client,
) -> None:
    admin_client.get(f"/admin/{ORDERS}", {"q": "Paid", "status__exact": "placed"})

    with override("zh-hans"):
        words = told(LogEntry.objects.get())
        status = str(Order.Status.PLACED.label)

    assert [value.new for value in words.values] == ["Paid", status]
    assert status != "Placed"


def test_a_workbook_is_logged_when_it_is_made(admin_client: Client) -> None:
    placed(add_product("MUG"))
    data = {"list": "orders.order", "sheet": "orders", "query": "?status__exact=placed"}
    for _click in range(2):
        admin_client.post("/admin/orders/deskjob/export/", {**data, "key": str(uuid4())})
    none = LogEntry.objects.count()

    tasks.work(str(DeskJob.objects.latest("created_at").pk))

    words = told(LogEntry.objects.get())
    assert none == 0
    assert words.sentences == ["Export of Orders as XLSX: 1 row"]
    assert [value.new for value in words.values] == ["Placed"]
