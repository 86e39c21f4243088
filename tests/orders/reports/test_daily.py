"""The daily report: a day's figures with chart and table, once per day."""

import csv
from datetime import date, datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from io import BytesIO, StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.core.files.storage import default_storage
from PIL import Image

from notifications.handler import NotificationHandler
from notifications.models import Notification
from orders.models import Order
from orders.reports import daily as module
from orders.reports.chart import HEIGHT, WIDTH, draw, svg
from orders.reports.daily import send_report
from orders.reports.figures import bounds, read_figures
from orders.tasks import daily_report
from project.jobs.errors import PermanentError
from project.jobs.queryset import Status
from project.jobs.run import run_job
from tests.desk import placed
from tests.factories import add_product

pytestmark = pytest.mark.django_db

BERLIN = ZoneInfo("Europe/Berlin")
DAY = date(2026, 11, 22)


@pytest.fixture(autouse=True)
def shop(settings: Any, tmp_path: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    settings.STAFF_EMAILS = ["boss@example.org", "desk@example.org"]
    settings.MEDIA_ROOT = str(tmp_path)


def order(moment: datetime, *, quantity: int = 1, status: str = "placed") -> Order:
    product = add_product(f"SKU{Order.objects.count()}", price="10.00")
    made = placed(product, quantity=quantity)
    Order.objects.filter(pk=made.pk).update(placed_at=moment, status=status)
    Notification.objects.filter(order_id=made.pk).delete()
    return made


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


# ── Figures ─────────────────────────────────────────────────────────────────────────────────
def test_a_day_is_the_shops_from_midnight_to_midnight() -> None:
    order(at("2026-11-21 23:59:59"), quantity=7)
    order(at("2026-11-22 00:00:00"), quantity=2)
    order(at("2026-11-22 23:59:59"), quantity=3)
    order(at("2026-11-22 12:00:00"), quantity=5, status="cancelled")
    order(at("2026-11-23 00:00:00"), quantity=9)

    figures = read_figures(DAY)

    assert (figures.orders, figures.cancelled, figures.units) == (2, 1, 5)
    assert figures.turnover == Decimal("50.00")
    assert [amount for _day, amount in figures.turnover_by_day[-2:]] == [70, 50]
    assert [(name, units) for name, units, _amount in figures.top] == [
        ("Thing SKU2", 3),
        ("Thing SKU1", 2),
    ]


def test_what_sold_best_counts_what_was_charged() -> None:
    made = order(at("2026-11-22 12:00:00"), quantity=2)
    made.lines.update(discount=Decimal("3.00"))

    assert read_figures(DAY).top == [("Thing SKU0", 2, Decimal("17.00"))]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_the_days_when_the_clocks_change_have_their_own_length(day: str, hours: int) -> None:
    begin, end = bounds(date.fromisoformat(day))

    assert end.timestamp() - begin.timestamp() == hours * 3600


# ── The chart ───────────────────────────────────────────────────────────────────────────────
def test_the_chart_is_a_png_with_a_bar_a_day_the_last_one_dark() -> None:
    days = [(DAY - timedelta(days=13 - ago), Decimal(ago)) for ago in range(14)]

    picture = Image.open(BytesIO(draw(days, highest="€13.00"))).convert("RGB")

    assert picture.size == (WIDTH, HEIGHT)
    assert picture.getpixel((WIDTH - 37, HEIGHT - 80)) == (15, 118, 110)
    assert svg(days).count("<rect") == 16


def test_a_fortnight_without_orders_has_a_chart_too() -> None:
    days = [(DAY - timedelta(days=ago), Decimal(0)) for ago in range(14)]

    assert Image.open(BytesIO(draw(days, highest="€0.00"))).format == "PNG"


# ── The message ─────────────────────────────────────────────────────────────────────────────
def sent(index: int = 0) -> EmailMessage:
    """Send the report and return the e-mail as it goes over the wire."""
    message = Notification.objects.order_by("recipient")[index]
    run_job(Notification, message.pk)
    return mail.outbox[-1].message()


def test_the_report_carries_its_chart_in_its_place_and_the_orders_as_a_table() -> None:
    placed_at = at("2026-11-22 12:00:00")
    order(placed_at, quantity=2)
    send_report(DAY)

    email = sent()

    kinds = [part.get_content_type() for part in email.walk()]
    assert kinds == [
        "multipart/mixed",
        "multipart/related",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "image/png",
        "text/csv",
    ]
    [picture] = [part for part in email.walk() if part.get_content_type() == "image/png"]
    [table] = [part for part in email.walk() if part.get_content_type() == "text/csv"]
    assert picture["Content-ID"] == "<chart>"
    assert table.get_filename() == "orders-2026-11-22.csv"
    text = table.get_payload(decode=True).decode("utf-8-sig")
    [row] = csv.DictReader(StringIO(text))
    assert (row["placed"], row["units"], row["total"]) == ("2026-11-22 12:00:00", "2", "20.00")
    assert "ada" not in text.lower()


def test_the_report_says_the_figures_in_words() -> None:
    order(at("2026-11-22 12:00:00"), quantity=2)
    send_report(DAY)

    sent()
    message = mail.outbox[-1]

    assert message.subject.endswith("2026-11-22: €20.00")
    assert "Orders: 1\n" in message.body
    assert "2 × Thing SKU0: €20.00" in message.body


def test_a_day_is_reported_once_to_each() -> None:
    assert send_report(DAY)["recipients"] == 2
    assert send_report(DAY)["recipients"] == 0

    reports = Notification.objects.filter(event="daily_report")
    assert sorted(reports.values_list("recipient", "occasion")) == [
        ("boss@example.org", "2026-11-22"),
        ("desk@example.org", "2026-11-22"),
    ]


def test_control_without_the_look_for_messages_a_repeat_reports_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    send_report(DAY)
    monkeypatch.setattr(module, "Notification", _Forgetful)

    send_report(DAY)

    assert Notification.objects.filter(event="daily_report").count() == 4


class _Forgetful:
    """Messages that can be written and never found."""

    class objects:
        bulk_create = Notification.objects.bulk_create

        @staticmethod
        def filter(**_fields: Any) -> Any:
            return Notification.objects.none()


def test_an_attempt_that_died_before_the_message_leaves_one_set_of_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "messages_for", lambda *args: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            send_report(DAY)

    send_report(DAY)

    folder = f"desk/reports/{DAY}"
    assert sorted(default_storage.listdir(folder)[1]) == ["chart.png", "orders.csv"]


def test_the_work_of_a_day_is_the_report_of_the_day_before() -> None:
    assert daily_report(date(2026, 11, 23))["day"] == "2026-11-22"


# ── Its files ───────────────────────────────────────────────────────────────────────────────
def test_files_go_with_the_last_message_that_has_them() -> None:
    send_report(DAY)
    first, second = Notification.objects.values_list("pk", flat=True)
    path = f"desk/reports/{DAY}/chart.png"

    NotificationHandler().delete([first])
    assert default_storage.exists(path)
    NotificationHandler().delete([second])

    assert not default_storage.exists(path)


def test_a_message_whose_file_is_gone_fails_and_says_so() -> None:
    send_report(DAY)
    default_storage.delete(f"desk/reports/{DAY}/orders.csv")

    with pytest.raises(PermanentError, match="gone"):
        sent()

    assert Notification.objects.filter(status=Status.FAILED).count() == 1
