"""The overview: each figure is that of the list behind it, in few queries."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from notifications.models import ChannelState
from orders.desk import attention
from orders.desk.attention import read_tasks
from orders.desk.sales import read_overview
from orders.models import Order, Refund, User
from orders.reports.quarters import count_quarters
from project.jobs.queryset import Status
from project.models import PausedQueue
from tests.desk import message, placed
from tests.factories import add_product
from tests.orders.shop.pages import text_of

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 18, 12, 20, tzinfo=UTC)


def order_at(
    at: datetime, *, status: str = Order.Status.PAID, quantity: int = 1, price: str = "10.00"
) -> Order:
    order = placed(add_product(str(uuid4())[:8], price=price), quantity=quantity)
    Order.objects.filter(pk=order.pk).update(placed_at=at, changed_at=at, status=status)
    return order


def listed(client: Client, url: str) -> int:
    """Return the number of the list behind the link."""
    return int(client.get(url).context["cl"].result_count)


@pytest.fixture
def two_months() -> None:
    """Orders of 60 days, some of them cancelled or refunded, at odd times of the day."""
    for days in range(60):
        at = timezone.now() - timedelta(days=days, minutes=7 * days + 1)
        order_at(at, quantity=1 + days % 3)
        if days % 4 == 0:
            order_at(at, status=Order.Status.CANCELLED)
        if days % 7 == 0:
            order_at(at, status=Order.Status.REFUNDED)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/New_York"])
@pytest.mark.parametrize("is_swept", [False, True])
def test_each_figure_is_that_of_its_list(
    two_months: None, admin_client: Client, settings: Any, zone: str, is_swept: bool
) -> None:
    settings.TIME_ZONE = zone
    if is_swept:
        count_quarters()

    periods, _charts = read_overview(timezone.now())

    assert [period.days for period in periods] == [1, 7, 30]
    for period in periods:
        rows = admin_client.get(period.url).context["cl"].queryset
        assert period.sales.orders == rows.count()
        assert period.sales.amount == sum((order.total for order in rows), Decimal(0))
    assert periods[2].sales.orders >= 28


def test_the_link_leaves_out_what_is_no_sale(admin_client: Client) -> None:
    order_at(timezone.now())
    order_at(timezone.now(), status=Order.Status.CANCELLED)

    [today, *_rest], _charts = read_overview(timezone.now())

    assert listed(admin_client, today.url) == 1
    assert listed(admin_client, reverse("admin:orders_order_changelist")) == 2


def test_a_period_is_compared_to_the_same_time_of_the_one_before() -> None:
    order_at(NOON - timedelta(days=1, seconds=1))
    order_at(NOON - timedelta(days=1) + timedelta(seconds=1))  # after the same time
    order_at(NOON - timedelta(days=7, seconds=1))
    order_at(NOON - timedelta(days=7) + timedelta(seconds=1))
    order_at(NOON - timedelta(hours=1), quantity=3)

    [today, week, month], _charts = read_overview(NOON)

    assert (today.sales.orders, today.before.orders) == (1, 1)
    assert (week.sales.orders, week.before.orders) == (3, 1)
    assert (month.sales.orders, month.before.orders) == (5, 0)
    assert [measure.change.words for measure in today.measures] == ["±0 %", "+200 %", "+200 %"]


def test_the_chart_of_today_has_an_hour_for_each_of_the_day(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    order_at(datetime(2026, 3, 29, 0, 30, tzinfo=UTC), price="12.50")  # 23 hours long

    _periods, [today, days] = read_overview(datetime(2026, 3, 29, 20, tzinfo=UTC))

    assert today.picture.count("<title>") == 23
    assert "01:00: €12.50, 1 order<" in today.picture
    assert days.picture.count("<title>") == 30


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("overdue", lambda: order_at(NOON, status=Order.Status.PLACED)),
        ("unpacked", lambda: order_at(NOON)),
        ("unshipped", lambda: order_at(NOON, status=Order.Status.PACKED)),
        (
            "owed",
            lambda: Refund.objects.create(
                id=uuid4(),
                order=order_at(NOON, status=Order.Status.CANCELLED),
                amount=5,
                restocked=False,
            ),
        ),
        (
            "bounced",
            lambda: message(
                order_at(timezone.now(), status=Order.Status.PACKED),
                status=Status.DONE,
                recipient="ada@example.org",
                delivery="bounced",
                delivery_at=str(NOON),
            ),
        ),
    ],
)
def test_what_needs_somebody_is_counted_as_its_list_shows_it(
    admin_client: Client, name: str, make: Callable[[], object]
) -> None:
    make()
    order_at(NOON, status=Order.Status.DELIVERED)

    [task] = [task for task in read_tasks(admin.site) if task.name == name]

    assert task.count >= 1
    assert listed(admin_client, task.url) == task.count
    assert len(attention.order_lists()) == 5


def test_more_than_a_thousand_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "MOST_COUNTED", 2)
    for _number in range(4):
        order_at(NOON)

    [task] = [task for task in read_tasks(admin.site) if task.name == "unpacked"]

    assert str(task.count) == "more than 2"


def test_failed_jobs_are_grouped_by_their_reason(admin_client: Client) -> None:
    order = order_at(NOON)
    for number in (4711000001, 4711000002):
        message(order, status=Status.FAILED, error=f"550 no such mailbox (id {number})")
    message(order, status=Status.UNKNOWN, error="connection lost")

    reasons = admin_client.get(reverse("admin:index")).context["errors"]

    assert [(reason.words, reason.count) for reason in reasons] == [
        ("550 no such mailbox (id …)", 2),
        ("connection lost", 1),
    ]
    query = parse_qs(urlsplit(reasons[0].url).query)
    assert query["state"] == ["failed"]
    page = admin_client.get(reasons[0].url)
    assert len(page.context["page"].lines) == 2


def test_it_takes_twelve_queries(admin_client: Client) -> None:
    for number in range(10):
        message(placed(add_product(f"SKU-{number}", stock=1)), status=Status.FAILED, error="x")
    ChannelState.objects.create(gateway="email", paused_at=timezone.now(), paused_by="ada")
    PausedQueue.objects.create(queue="media", paused_by="ada")
    admin_client.get(reverse("admin:index"))

    with CaptureQueriesContext(connection) as queries:
        answer = admin_client.get(reverse("admin:index"))

    assert len(queries) <= 12, [query["sql"][:90] for query in queries]
    assert answer.status_code == 200


def test_who_may_not_see_orders_sees_no_revenue(client: Client) -> None:
    packer = User.objects.create_user("packer", password="packer", is_staff=True)
    packer.user_permissions.set(Permission.objects.filter(codename="view_product"))
    client.force_login(packer)
    placed(add_product("MUG", price="77.70"))

    page = client.get(reverse("admin:index")).content.decode()

    assert "77.70" not in page
    assert "desk-periods" not in page


def test_a_figure_that_is_not_counted_to_the_end_says_so_and_of_which_days(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "MOST_COUNTED", 1)
    for number in range(3):
        bounced = placed(add_product(f"SKU-{number}"))
        Order.objects.filter(pk=bounced.pk).update(email=f"c{number}@example.org")
        message(
            bounced,
            status=Status.DONE,
            recipient=f"c{number}@example.org",
            delivery="bounced",
            delivery_at="2026-01-01T00:00Z",
        )

    page = text_of(admin_client.get(reverse("admin:index")))

    assert "Address bounced, not shipped (last 30 days) more than 1" in page


def test_services_are_named_in_words(admin_client: Client) -> None:
    page = admin_client.get(reverse("admin:index")).content.decode()

    assert "Messages by e-mail" in page
    assert "channel:" not in page


@pytest.mark.parametrize(("proxies", "is_told"), [(0, True), (1, False)])
def test_a_proxy_that_the_settings_do_not_know_is_told(
    admin_client: Client, settings: Any, proxies: int, is_told: bool
) -> None:
    settings.TRUSTED_PROXY_COUNT = proxies

    page = admin_client.get("/admin/", headers={"X-Forwarded-For": "198.51.100.7"})

    assert ("through a proxy that the settings don't know" in text_of(page)) is is_told


def test_a_page_without_a_proxy_tells_of_none(admin_client: Client, settings: Any) -> None:
    settings.TRUSTED_PROXY_COUNT = 0

    assert "through a proxy" not in text_of(admin_client.get("/admin/"))
