"""The filters by jobs and by address find the same orders, however many there are."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from notifications.models import Notification
from orders.finding import conditions
from orders.finding.conditions import list_troubled, unsent_to_trouble, with_jobs
from orders.models import Order
from project.desk.row_counts import count_rows
from project.jobs.queryset import TROUBLED, Status
from tests.desk import message, placed
from tests.factories import add_product

pytestmark = pytest.mark.django_db

BOUNDS = pytest.mark.parametrize(
    ("few", "many"), [(200, 100_000), (0, 100_000), (0, 0)], ids=["few", "more", "very many"]
)


def bound(monkeypatch: pytest.MonkeyPatch, few: int, many: int) -> None:
    monkeypatch.setattr(conditions, "FEW", few)
    monkeypatch.setattr(conditions, "MANY", many)


def newest_first(orders: QuerySet[Order]) -> list[Order]:
    return list(orders.order_by("-placed_at", "-number"))


def reported(order: Order, delivery: str, *, hours_ago: int) -> None:
    recipient = order.email.replace("ada", "ADA")
    found = message(order, status=Status.DONE, recipient=recipient, event=delivery)
    Notification.objects.filter(pk=found.pk).update(
        delivery=delivery, delivery_at=timezone.now() - timedelta(hours=hours_ago)
    )


@BOUNDS
def test_orders_with_troubled_jobs_are_found_once(
    monkeypatch: pytest.MonkeyPatch, few: int, many: int
) -> None:
    mug = add_product("MUG")
    first, _well, last = placed(mug), placed(mug), placed(mug)
    for order in (first, first, last):
        message(order, status=Status.FAILED)
    bound(monkeypatch, few, many)

    assert newest_first(with_jobs(Order.objects.all(), TROUBLED)) == [last, first]


@BOUNDS
def test_orders_with_an_address_that_bounced_for_the_last_time_are_found(
    monkeypatch: pytest.MonkeyPatch, few: int, many: int
) -> None:
    mug = add_product("MUG")
    orders = [placed(mug) for _number in range(4)]
    for number, order in enumerate(orders):
        order.email = f"ada{number}@example.org"
        order.save(update_fields=["email"])
    bounces, mended, complains, _well = orders
    reported(bounces, "bounced", hours_ago=2)
    reported(mended, "bounced", hours_ago=2)
    reported(mended, "delivered", hours_ago=1)
    reported(complains, "complained", hours_ago=2)
    reported(complains, "delivered", hours_ago=1)
    bound(monkeypatch, few, many)

    assert newest_first(list_troubled(Order.objects.all())) == [complains, bounces]


def test_their_number_is_said_by_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    mug = add_product("MUG")
    for order in [placed(mug) for _number in range(3)]:
        message(order, status=Status.FAILED)
    bound(monkeypatch, 0, 100_000)
    monkeypatch.setattr(conditions, "planned_rows", lambda _ids: 3)
    found: QuerySet[Any] = with_jobs(Order.objects.all(), TROUBLED).order_by("-placed_at")
    monkeypatch.setattr("project.desk.row_counts.planned_rows", lambda _queryset: 1_000_000)

    assert str(count_rows(found, exact=1)) == "about 3"
    assert count_rows(found) == 3
    assert count_rows(Order.objects.order_by("-placed_at"), exact=1) == 1_000_000


def test_few_are_counted_without_a_look_at_them(
    django_assert_num_queries: Any,
) -> None:
    mug = add_product("MUG")
    first, last = placed(mug), placed(mug)
    for order in (first, first, last):
        message(order, status=Status.FAILED)
    found: QuerySet[Any] = with_jobs(Order.objects.all(), TROUBLED).order_by("-placed_at")

    with django_assert_num_queries(0):
        assert count_rows(found) == 2
    assert count_rows(found.filter(pk=first.pk)) == 1
    assert count_rows(with_jobs(Order.objects.filter(pk=first.pk), TROUBLED)) == 1


@BOUNDS
def test_a_bounce_counts_that_was_reported_with_a_delivery(
    monkeypatch: pytest.MonkeyPatch, few: int, many: int
) -> None:
    order = placed(add_product("MUG"))
    reported(order, "delivered", hours_ago=1)
    reported(order, "bounced", hours_ago=1)
    Notification.objects.exclude(delivery="").update(delivery_at=timezone.now())
    bound(monkeypatch, few, many)

    assert newest_first(list_troubled(Order.objects.all())) == [order]
    assert newest_first(unsent_to_trouble(Order.objects.all())) == [order]
