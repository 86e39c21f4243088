"""Jobs for an API client: of every kind, the newest first, without their readers and words."""

import pytest

from notifications.models import Notification
from orders.clients.scopes import JOBS_READ
from orders.models import DeskJob
from project.jobs.model import job_models
from project.jobs.queryset import Status
from tests.clients import Caller, key_of
from tests.desk import message
from tests.factories import add_product, make_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller(db: None) -> Caller:
    return Caller(key_of())


def test_jobs_of_every_kind_come_in_one_list_page_by_page(caller: Caller) -> None:
    order = make_order(add_product("MUG"))
    for number in range(3):
        message(order, occasion=str(number))
        DeskJob.objects.create(kind="import_products", context={})

    first = caller.get("jobs", limit=4).json()
    rest = caller.get("jobs", limit=4, cursor=first["next"]).json()

    found = first["items"] + rest["items"]
    assert [item["app"] for item in found].count("desk") == 3
    assert len({item["id"] for item in found}) == len(found) == 6
    assert [item["created_at"] for item in found] == sorted(
        (item["created_at"] for item in found), reverse=True
    )
    assert rest["next"] is None


def test_filters_narrow_the_list(caller: Caller) -> None:
    order = make_order(add_product("MUG"))
    failed = message(order, status=Status.FAILED)
    DeskJob.objects.create(kind="import_products", context={})

    for filters in (
        {"status": "failed"},
        {"app": "notification"},
        {"order": order.display_number},
        {"order": str(order.pk)},
    ):
        items = caller.get("jobs", **filters).json()["items"]
        assert [item["id"] for item in items] == [str(failed.pk)], filters
    assert caller.get("jobs", order="T99999").status_code == 404
    assert caller.get("jobs", status="eaten").status_code == 422


def test_neither_reader_nor_a_providers_words_are_told() -> None:
    order = make_order(add_product("MUG"))
    job = message(order, status=Status.FAILED)
    Notification.objects.filter(pk=job.pk).update(error="550 mail.example.org refuses ada")

    answer = Caller(key_of(scopes=[JOBS_READ])).get("jobs")

    [item] = answer.json()["items"]
    assert (item["error"], item["order"], item["order_id"]) == (
        "failed",
        order.display_number,
        None,
    )
    text = answer.content.decode()
    assert "ada@" not in text
    assert "550" not in text
    assert str(order.pk) not in text


def test_a_cursor_of_another_list_is_invalid(caller: Caller) -> None:
    add_product("MUG")
    add_product("TEA")
    cursor = caller.get("catalogue", limit=1).json()["next"]

    assert caller.get("jobs", cursor=cursor).status_code == 422


def test_each_kind_in_the_list_can_be_asked_for(caller: Caller) -> None:
    for model in job_models():
        assert caller.get("jobs", app=model.app).status_code == 200, model.app
