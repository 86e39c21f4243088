"""Steps of many orders: counted before they are confirmed, done by a job that names refusals."""

from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import Permission
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from orders import tasks
from orders.desk import bulk_steps
from orders.desk_jobs import order_steps
from orders.lifecycle import transitions
from orders.lifecycle.errors import OrderBusy
from orders.models import DeskJob, Order, User
from project.jobs.errors import LostClaimError, PermanentError
from project.jobs.queryset import Status
from tests.factories import add_product
from tests.order_states import paid, placed
from tests.orders.shop.pages import text_of
from tests.pages import read_page

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers", "storage"),
]


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.fixture(autouse=True)
def one_is_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_steps, "FEW", 1)


LIST = "/admin/orders/order/?status__exact=paid"


def ask(desk: Client, action: str, *orders: Order, url: str = LIST, across: bool = True) -> Any:
    """Choose the orders, or all of the filter, and return the page that asks."""
    chosen = {
        "action": action,
        "select_across": "1" if across else "0",
        ACTION_CHECKBOX_NAME: [str(order.pk) for order in orders],
    }
    return desk.post(url, chosen)


def confirm(desk: Client, answer: Any, url: str = LIST, **fields: Any) -> Any:
    return read_page(desk, url, answer.content.decode()).send_and_follow(**fields)


def status(order: Order) -> str:
    return Order.objects.get(pk=order.pk).status


def run() -> DeskJob:
    job = DeskJob.objects.get()
    tasks.work(str(job.pk))
    job.refresh_from_db()
    return job


def claimed(job: DeskJob) -> DeskJob:
    assert DeskJob.objects.claim(job.pk)
    return DeskJob.objects.get(pk=job.pk)


def test_all_of_a_filter_are_packed_after_their_number_was_told(desk: Client) -> None:
    add_product("TEA")
    orders = [paid(), paid(), paid()]
    other = placed()

    page = ask(desk, "mark_packed", orders[0])
    nothing_yet = {status(order) for order in orders}
    answer = confirm(desk, page)
    job = run()

    assert "3 orders are changed in the background" in text_of(page)
    assert nothing_yet == {"paid"}
    assert answer.request["PATH_INFO"] == reverse("admin:orders_deskjob_change", args=[job.pk])
    assert job.result == {"changed": 3, "refused": 0}
    assert {status(order) for order in orders} == {"packed"}
    assert status(other) == "placed"
    assert orders[0].events.get(kind="packed").user == User.objects.get()


def test_each_order_that_refused_is_named_with_the_reason(desk: Client) -> None:
    add_product("TEA")
    ready, unpaid = paid(), placed()

    whole = "/admin/orders/order/"
    confirm(desk, ask(desk, "mark_packed", ready, unpaid, url=whole, across=False), url=whole)
    job = run()
    page = text_of(desk.get(reverse("admin:orders_deskjob_change", args=[job.pk])))

    assert (status(ready), status(unpaid)) == ("packed", "placed")
    assert "1 order refused" in page
    assert f"Order {unpaid} is placed: it can&#x27;t be packed." in page
    assert "Mark as packed · 2 orders" in page


def test_orders_are_cancelled_with_the_reason_that_was_typed(desk: Client) -> None:
    add_product("TEA")
    orders = [paid(), paid()]
    page = ask(desk, "cancel_orders", *orders)

    without = confirm(desk, page)
    none = DeskJob.objects.count()
    confirm(desk, without, reason="the kiln broke")
    run()

    assert "required" in text_of(without)
    assert none == 0
    details = [order.events.get(kind="cancelled").detail for order in orders]
    assert [detail["reason"] for detail in details] == ["the kiln broke"] * 2


def test_back_and_reload_run_nothing_a_second_time(desk: Client) -> None:
    add_product("TEA")
    orders = [paid(), paid()]
    page = ask(desk, "mark_packed", *orders)

    first = confirm(desk, page)
    run()
    again = confirm(desk, page)

    assert again.request["PATH_INFO"] == first.request["PATH_INFO"]
    assert DeskJob.objects.count() == 1


def test_an_order_that_came_under_the_filter_later_is_left_alone(desk: Client) -> None:
    add_product("TEA")
    orders = [paid(), paid()]
    confirm(desk, ask(desk, "mark_packed", *orders))
    late = paid()

    run()

    assert status(late) == "paid"


def test_another_number_than_was_told_is_told_again(desk: Client) -> None:
    add_product("TEA")
    page = ask(desk, "mark_packed", paid(), paid())
    paid()

    again = confirm(desk, page)
    none = DeskJob.objects.count()
    confirm(desk, again)

    assert none == 0
    assert "3 orders are changed" in text_of(again)
    assert run().result == {"changed": 3, "refused": 0}


def test_more_orders_than_a_job_takes_are_refused(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_product("TEA")
    monkeypatch.setattr(bulk_steps, "MOST_ORDERS", 2)
    chosen = [paid(), paid(), paid()]

    answer = desk.get(ask(desk, "mark_packed", *chosen).url)

    assert "more than 2 orders" in text_of(answer)


def test_a_cancelled_job_tells_what_was_done_before(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_product("TEA")
    orders = [paid(), placed(), paid(), paid()]
    every = "/admin/orders/order/"
    confirm(desk, ask(desk, "mark_packed", *orders, url=every), url=every)
    monkeypatch.setattr("orders.desk_jobs.progress.PROGRESS_SECONDS", 0)
    real, packed = transitions.pack, []

    def pack_and_cancel(**asked: Any) -> Order:
        packed.append(asked["order_id"])
        if len(packed) == 3:
            DeskJob.objects.all().cancel()
        return real(**asked)

    with patch.object(transitions, "pack", pack_and_cancel), pytest.raises(LostClaimError):
        order_steps.take_steps(claimed(DeskJob.objects.get()))
    page = text_of(desk.get(f"/admin/orders/deskjob/{DeskJob.objects.get().pk}/change/"))

    assert [status(order) for order in orders] == ["packed", "placed", "packed", "paid"]
    job = DeskJob.objects.get()
    assert (job.status, job.result) == (
        Status.CANCELLED, {"changed": 2, "refused": 1, "left": 1},
    )  # fmt: skip
    told = {each.number: each.reason for each in order_steps.read_refusals(job)}
    assert list(told) == [orders[1].display_number, orders[3].display_number]
    assert "Done for 2 orders." in page
    assert "1 order wasn't reached" in page
    assert told[orders[3].display_number] in page


def test_a_cancelled_job_that_begins_again_has_one_report(desk: Client, storage: Any) -> None:
    add_product("TEA")
    orders = [paid(), paid()]
    confirm(desk, ask(desk, "mark_packed", *orders))
    job = claimed(DeskJob.objects.get())
    DeskJob.objects.all().cancel()
    with pytest.raises(LostClaimError):
        order_steps.take_steps(job)
    partial = DeskJob.objects.get().report.name

    DeskJob.objects.all().retry_cancelled()
    again = run()

    assert again.result == {"changed": 2, "refused": 0}
    assert partial is not None
    assert not default_storage.exists(partial)
    assert again.report.name is not None
    assert default_storage.exists(again.report.name)


def test_a_claim_that_is_lost_otherwise_keeps_no_report(desk: Client) -> None:
    add_product("TEA")
    confirm(desk, ask(desk, "mark_packed", paid(), paid()))
    job = claimed(DeskJob.objects.get())
    DeskJob.objects.update(token=uuid4())  # another worker has it

    with pytest.raises(LostClaimError):
        order_steps.take_steps(job)

    assert not DeskJob.objects.get().report


def test_a_repeated_run_finds_its_steps_done(desk: Client) -> None:
    add_product("TEA")
    orders = [paid(), paid()]
    confirm(desk, ask(desk, "mark_packed", *orders))
    transitions.pack(order_id=orders[0].pk)

    job = run()

    assert job.result == {"changed": 2, "refused": 0}
    assert orders[0].events.filter(kind="packed").count() == 1


def test_an_order_that_somebody_works_on_is_tried_again_at_the_end(desk: Client) -> None:
    add_product("TEA")
    orders = [paid(), paid()]
    confirm(desk, ask(desk, "mark_packed", *orders))
    answers = iter([OrderBusy()])
    real = transitions.pack

    def busy_once(**asked: Any) -> Order:
        for answer in answers:
            raise answer
        return real(**asked)

    with patch.object(transitions, "pack", busy_once):
        job = run()

    assert job.result == {"changed": 2, "refused": 0}


def test_who_may_no_longer_change_orders_changes_none(desk: Client) -> None:
    add_product("TEA")
    orders = [paid(), paid()]
    confirm(desk, ask(desk, "mark_packed", *orders))
    User.objects.update(is_superuser=False)

    with pytest.raises(PermanentError, match="may not change"):
        run()

    assert DeskJob.objects.get().status == Status.FAILED
    assert {status(order) for order in orders} == {"paid"}


def test_who_may_only_look_is_asked_nothing(client: Client) -> None:
    add_product("TEA")
    looker = User.objects.create_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_order"))
    client.force_login(looker)

    ask(client, "mark_packed", paid(), paid())

    assert DeskJob.objects.count() == 0
