"""Jobs at the desk: read, found, retried, decided about."""

import re
from html import escape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django_celery_results.models import TaskResult

from notifications.delivery.stored_html import store_html
from notifications.models import Notification
from orders.models import Order, User
from project.jobs.queryset import Status
from tests.desk import message, placed
from tests.factories import add_product

pytestmark = pytest.mark.django_db

LIST = "/admin/notifications/notification/"


@pytest.fixture
def order(db: None) -> Order:
    return placed(add_product("MUG"))


def decide(client: Client, job: Notification, name: str, **data: str) -> Any:
    return client.post(
        reverse("admin:notifications_notification_decide", args=[job.pk, name]), data
    )


def status_of(job: Notification) -> str:
    return Notification.objects.get(pk=job.pk).status


def test_a_failed_job_is_retried_from_its_page(admin_client: Client, order: Order) -> None:
    job = message(order, status=Status.FAILED)
    Notification.objects.filter(pk=job.pk).update(attempts=8)

    answer = decide(admin_client, job, "retry")

    job.refresh_from_db()
    assert answer.status_code == 302
    assert (job.status, job.attempts) == (Status.QUEUED, 0)


def test_retrying_leads_back_to_where_it_was_clicked(admin_client: Client, order: Order) -> None:
    job = message(order, status=Status.FAILED)
    page = f"/admin/orders/order/{order.pk}/change/"

    back = decide(admin_client, job, "retry", next=page)
    elsewhere = decide(admin_client, job, "retry", next="https://evil.example/")

    assert back["Location"] == page
    assert elsewhere["Location"] == f"{LIST}{job.pk}/change/"


def test_selected_failed_jobs_are_retried_and_counted(admin_client: Client, order: Order) -> None:
    failed = [message(order, status=Status.FAILED) for _number in range(2)]
    done = message(order, status=Status.DONE)

    answer = admin_client.post(
        LIST,
        {"action": "retry", "_selected_action": [job.pk for job in (*failed, done)]},
        follow=True,
    )

    assert "2 jobs are queued again." in answer.content.decode()
    assert [status_of(job) for job in failed] == [Status.QUEUED, Status.QUEUED]
    assert status_of(done) == Status.DONE


def test_a_link_can_not_retry_anything(admin_client: Client, order: Order) -> None:
    job = message(order, status=Status.FAILED)

    answer = admin_client.get(
        reverse("admin:notifications_notification_decide", args=[job.pk, "retry"])
    )

    assert "Retry 1 message?" in answer.content.decode()
    assert status_of(job) == Status.FAILED


def test_another_site_can_not_retry_anything(admin_user: User, order: Order) -> None:
    job = message(order, status=Status.FAILED)
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)

    answer = decide(client, job, "retry")

    assert answer.status_code == 403
    assert status_of(job) == Status.FAILED


def test_who_may_only_look_can_not_decide(clerk_client: Client, order: Order) -> None:
    job = message(order, status=Status.FAILED)

    page = clerk_client.get(f"{LIST}{job.pk}/change/")
    answer = decide(clerk_client, job, "retry")
    clerk_client.post(LIST, {"action": "retry", "_selected_action": [job.pk]})

    assert page.status_code == 200
    assert "/decide/" not in page.content.decode()
    assert answer.status_code == 403
    assert status_of(job) == Status.FAILED


@pytest.mark.parametrize(("name", "status"), [("sent", "done"), ("again", "queued")])
def test_a_person_decides_about_a_message_that_may_have_arrived(
    name: str, status: str, admin_client: Client, order: Order
) -> None:
    job = message(order, status=Status.UNKNOWN)
    page = admin_client.get(f"{LIST}{job.pk}/change/").content.decode()

    decide(admin_client, job, name)

    assert reverse("admin:notifications_notification_decide", args=[job.pk, name]) in page
    assert status_of(job) == status


@pytest.mark.parametrize("name", ["retry", "sent", "again"])
def test_a_message_that_was_sent_stays_sent(name: str, admin_client: Client, order: Order) -> None:
    job = message(order, status=Status.DONE)

    answer = admin_client.post(
        reverse("admin:notifications_notification_decide", args=[job.pk, name]), follow=True
    )

    assert "Nothing to do" in answer.content.decode()
    assert status_of(job) == Status.DONE


def test_an_unknown_decision_is_not_there(admin_client: Client, order: Order) -> None:
    assert decide(admin_client, message(order), "explode").status_code == 404


def test_a_message_is_shown_as_it_was_sent_and_can_do_nothing(
    admin_client: Client, order: Order
) -> None:
    html = '<p>Hello</p><script>alert("1")</script>'
    job = message(order, status=Status.DONE, subject="Your order", text="Hello")
    store_html(job, html)

    page = admin_client.get(f"{LIST}{job.pk}/change/").content.decode()

    frame = re.search(r"<iframe([^>]*)>", page)
    assert frame is not None
    assert "sandbox" in frame[1].split()
    assert f'srcdoc="{escape(html)}"' in frame[1]
    assert html not in page
    assert "Your order" in page


def test_a_job_leads_to_its_order_and_to_its_task_result(
    admin_client: Client, order: Order
) -> None:
    job = message(order, status=Status.DONE)
    record = TaskResult.objects.create(task_id=str(job.pk), status="SUCCESS")

    page = admin_client.get(f"{LIST}{job.pk}/change/").content.decode()

    assert f"/admin/orders/order/{order.pk}/change/" in page
    assert f"/admin/django_celery_results/taskresult/{record.pk}/change/" in page


@pytest.mark.parametrize(
    "search",
    [
        "{number}",
        "#{number}",
        "No. {number}",
        "{order}",
        "{job}",
        "ada-lovelace",
        "no such mailbox",
    ],
)
def test_a_job_is_found_by_order_id_recipient_or_reason(
    search: str, admin_client: Client, order: Order
) -> None:
    other = placed(add_product("CUP"))
    message(other)
    Notification.objects.filter(order_id=order.pk).delete()
    job = message(
        order,
        status=Status.FAILED,
        error="550 no such mailbox",
        recipient="ada-lovelace@example.org",
    )

    answer = admin_client.get(
        LIST,
        {"q": search.format(number=order.display_number, order=order.pk, job=job.pk)},
    )

    assert [found.pk for found in answer.context["cl"].result_list] == [job.pk]


def test_a_job_can_not_be_written_or_deleted_by_hand(admin_client: Client, order: Order) -> None:
    job = message(order)

    changed = admin_client.post(f"{LIST}{job.pk}/change/", {"status": "done"})
    deleted = admin_client.post(f"{LIST}{job.pk}/delete/", {"post": "yes"})

    assert {changed.status_code, deleted.status_code} == {403}
    assert status_of(job) == Status.QUEUED
