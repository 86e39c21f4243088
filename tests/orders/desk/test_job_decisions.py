"""What operators decide about an order's jobs is in its timeline: who, when, which job, and why."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connections
from django.db.backends.utils import CursorWrapper
from django.test import Client

from notifications.models import Notification
from orders.models import Order, User
from project.desk.audit_log import told
from project.desk.decision_log import decide
from project.jobs.decisions import RETRY
from project.jobs.queryset import Status
from project.models import JobDecision
from tests.desk import message, placed
from tests.factories import add_product
from tests.orders.shop.pages import text_of
from tests.pages import link_of, open_page, read_page

BOUNCE = "550 no such mailbox"
LIST = "/admin/notifications/notification/"


@pytest.fixture
def order(db: None) -> Order:
    return placed(add_product("MUG"))


def failed(order: Order) -> Notification:
    return message(order, status=Status.FAILED, error=BOUNCE)


def page_of(client: Client, order: Order) -> Any:
    return client.get(f"/admin/orders/order/{order.pk}/change/")


def decisions(client: Client, order: Order) -> list[tuple[str, str, str, str]]:
    """Return the decisions in the order's timeline: what, who, reason, and the job's error."""
    return [
        (entry.title, str(entry.user), entry.reason, entry.error)
        for entry in page_of(client, order).context["timeline"]
        if entry.kind == "decision"
    ]


@pytest.mark.django_db
def test_a_retry_is_told_with_the_error_that_it_answers(admin_client: Client, order: Order) -> None:
    job = failed(order)

    for _click in range(2):  # the second one changes nothing
        admin_client.post(f"{LIST}{job.pk}/decide/retry/")

    title = f"Retry: Order placed · E-mail to {job.recipient}"
    [(said, *rest)] = decisions(admin_client, order)
    assert re.sub("[\u2068\u2069]", "", said) == title
    assert rest == ["admin", "", BOUNCE]
    assert told(LogEntry.objects.get()).sentences == ["Retry"]
    assert BOUNCE in text_of(admin_client.get(f"{LIST}{job.pk}/change/"))


@pytest.mark.django_db
@pytest.mark.parametrize("following", ["abc", "//other.example/", "é"])
def test_a_decision_with_a_damaged_way_back_leads_to_the_job(
    following: str, admin_client: Client, order: Order
) -> None:
    job = failed(order)

    answer = admin_client.post(f"{LIST}{job.pk}/decide/retry/", {"next": following})

    assert answer["Location"] == f"{LIST}{job.pk}/change/"


@pytest.mark.django_db
def test_a_cancel_asks_first_and_why(admin_client: Client, order: Order) -> None:
    job = Notification.objects.get()
    back = f"/admin/orders/order/{order.pk}/change/"
    link = link_of(page_of(admin_client, order).content.decode(), "Cancel")

    page = open_page(admin_client, link)
    asked = Notification.objects.get().status
    answer = page.send(reason="She called: not wanted")

    assert asked == Status.QUEUED
    assert answer["Location"] == back
    job.refresh_from_db()
    assert job.status == Status.CANCELLED
    [(title, user, reason, _error)] = decisions(admin_client, order)
    assert title.startswith("Cancel: Order placed")
    assert (user, reason) == ("admin", "She called: not wanted")
    assert told(LogEntry.objects.get()).reason == "She called: not wanted"


@pytest.mark.django_db
@pytest.mark.parametrize("way", ["list", "all messages", "all jobs"])
def test_of_many_at_once_each_order_has_its_own_entry(
    way: str, admin_client: Client, order: Order
) -> None:
    other = placed(add_product("CUP"))
    jobs = [failed(order), failed(other)]
    Notification.objects.filter(status=Status.FAILED).update(finished_at="2026-01-01T00:00Z")
    pages = {
        "all messages": f"{LIST}all/give-up/?status__exact=failed",
        "all jobs": "/admin/jobs/all/retry/",
    }

    if way == "list":
        chosen = {"action": "give-up", "_selected_action": [str(job.pk) for job in jobs]}
        asked = admin_client.post(LIST, chosen)
        page = read_page(admin_client, LIST, asked.content.decode())
    else:
        page = open_page(admin_client, pages[way])
    assert not JobDecision.objects.exists()
    assert page.send(reason="Closed for good").status_code == 302

    for each in (order, other):
        [(_title, user, reason, error)] = decisions(admin_client, each)
        assert (user, reason, error) == ("admin", "Closed for good", BOUNCE)
    assert {told(entry).reason for entry in LogEntry.objects.all()} == {"Closed for good"}


@pytest.mark.django_db
def test_a_decision_outlives_its_job_and_its_operator(admin_client: Client, order: Order) -> None:
    job = failed(order)
    decide(RETRY, Notification.objects.filter(pk=job.pk), user_id=User.objects.get().pk)
    Notification.objects.all().delete()
    JobDecision.objects.update(user=None)

    assert decisions(admin_client, order) == [("Retry: Notification", "None", "", BOUNCE)]


@pytest.mark.django_db
def test_a_paper_and_a_copy_that_an_operator_asked_for_are_told(
    admin_client: Client, order: Order
) -> None:
    sent = message(order, status=Status.DONE)
    for _click in range(2):
        admin_client.post(f"/admin/orders/order/{order.pk}/papers/packing_slip/")
    open_page(admin_client, f"{LIST}{sent.pk}/resend/").send(email="other@example.org")

    titles = [title.partition(":")[0] for title, *_rest in decisions(admin_client, order)]
    assert titles == ["Asked for", "Send to another address"]


# ── Two at once ─────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def at_once() -> Iterator[Callable[[Callable[[], Any]], list[Any]]]:
    """Run something in two threads that start together."""
    start = Barrier(2)

    def run(step: Callable[[], Any]) -> Any:
        start.wait(10)
        try:
            return step()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        yield lambda step: list(pool.map(run, [step] * 2))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_locked", [True, False], ids=["", "control"])
def test_of_two_operators_one_decides(
    is_locked: bool,
    order: Order,
    at_once: Callable[[Callable[[], Any]], list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control only reads the jobs where the desk locks them: both note what one did."""
    user = User.objects.create_superuser("boss")
    jobs = Notification.objects.filter(pk=failed(order).pk)
    if not is_locked:
        reached = Barrier(2)
        execute = CursorWrapper.execute

        def read_only(self: CursorWrapper, sql: str, params: Any = None) -> Any:
            answer = execute(self, re.sub(r" FOR NO KEY UPDATE.*$", "", sql), params)
            if " FOR NO KEY UPDATE" in sql:
                reached.wait(10)
            return answer

        monkeypatch.setattr(CursorWrapper, "execute", read_only)

    changed = at_once(lambda: len(decide(RETRY, jobs, user_id=user.pk)))

    assert (sorted(changed), JobDecision.objects.count()) == (
        ([0, 1], 1) if is_locked else ([1, 1], 2)
    )
