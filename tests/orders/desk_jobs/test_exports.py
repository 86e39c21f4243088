"""A list as XLSX, written by a desk job: real numbers and dates, for those who may see the list."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from unittest.mock import patch

import openpyxl
import pytest
from django.contrib.auth.models import Permission
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from orders import tasks
from orders.models import DeskJob, Order, User
from project.desk import workbooks
from project.jobs.errors import PermanentError
from project.jobs.queryset import Status
from tests.desk import placed
from tests.factories import add_product
from tests.pages import OpenedPage

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("storage"),
]
EXPORT = "/admin/orders/deskjob/export/"
KEY = "01a221b8-f43f-78ec-8897-4f090b8a4683"


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss"))
    return client


def asked(desk: Client, **fields: str) -> Any:
    values = {"list": "orders.order", "sheet": "orders", "query": "?q=ada", "key": KEY} | fields
    return OpenedPage(desk, EXPORT).send_and_follow(**values)


def run() -> DeskJob:
    job = DeskJob.objects.get()
    tasks.work(str(job.pk))
    job.refresh_from_db()
    return job


def sheet_of(job: DeskJob, name: str | None = None) -> Any:
    assert job.report.name
    with default_storage.open(job.report.name) as file:
        book = openpyxl.load_workbook(BytesIO(file.read()))
    return book[name] if name else book.worksheets[0]


def cells(sheet: Any, label: str) -> list[Any]:
    rows = list(sheet.iter_rows())
    at = [cell.value for cell in rows[0]].index(label)
    return [row[at] for row in rows[1:]]


def test_a_workbook_has_numbers_dates_and_texts_of_what_the_list_shows(
    desk: Client, settings: Any
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    order = placed(add_product("MUG", price="12.30"), name="=Ada")
    placed(add_product("CUP"), name="Bob")
    Order.objects.filter(pk=order.pk).update(placed_at=datetime(2026, 7, 1, 22, 30, tzinfo=UTC))

    asked(desk, query="?q=MUG".replace("MUG", order.display_number))
    sheet = sheet_of(run())

    (total,), (moment,), (name,) = (cells(sheet, label) for label in ("total", "placed", "name"))
    assert (total.value, total.data_type) == (12.3, "n")
    assert moment.value == datetime(2026, 7, 2, 0, 30)  # noqa: DTZ001 (a spreadsheet has no zone)
    assert moment.is_date
    assert (name.value, name.data_type) == ("=Ada", "s")


def test_the_page_of_the_job_leads_to_the_file(desk: Client) -> None:
    placed(add_product("MUG"))
    page = asked(desk)
    job = run()

    done = desk.get(page.request["PATH_INFO"]).content.decode()
    file = desk.get(reverse("admin:orders_deskjob_report", args=[job.pk]))
    file.close()

    assert reverse("admin:orders_deskjob_report", args=[job.pk]) in done
    assert file["Content-Disposition"].endswith('.xlsx"')


def test_back_and_a_second_click_lead_to_the_same_job(desk: Client) -> None:
    first, second = asked(desk), asked(desk)

    assert first.request["PATH_INFO"] == second.request["PATH_INFO"]
    assert DeskJob.objects.count() == 1


def test_rows_beyond_one_worksheet_are_on_the_next(desk: Client) -> None:
    product = add_product("MUG")
    for _number in range(3):
        placed(product)
    asked(desk)
    with patch.object(workbooks, "MOST_ROWS", 2):
        job = run()

    assert len(cells(sheet_of(job, "Orders"), "number")) == 2
    assert len(cells(sheet_of(job, "Orders1"), "number")) == 1


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"list": "sessions.session"}, 404),
        ({"sheet": "nonsense"}, 404),
        ({"query": "?nonsense=1"}, 400),
        ({"query": "?q=%00"}, 400),
    ],
)
def test_what_no_list_has_is_refused(fields: dict[str, str], status: int, desk: Client) -> None:
    assert asked(desk, **fields).status_code == status
    assert DeskJob.objects.count() == 0


def test_who_may_not_see_the_list_gets_neither_job_nor_file(desk: Client, client: Client) -> None:
    placed(add_product("MUG"))
    asked(desk)
    job = run()
    looker = User.objects.create_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_deskjob"))
    client.force_login(looker)

    assert asked(client).status_code == 403
    report = client.get(reverse("admin:orders_deskjob_report", args=[job.pk]))
    assert report.status_code == 403


def test_who_may_no_longer_see_the_list_gets_no_workbook(desk: Client) -> None:
    asked(desk)
    User.objects.update(is_superuser=False)

    with pytest.raises(PermanentError, match="may not see"):
        run()
    assert DeskJob.objects.get().status == Status.FAILED
