"""Messages at the desk: narrowed down, decided about all at once, sent to another address."""

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from notifications.delivery.stored_html import store_html
from notifications.models import MessageHtml, Notification
from notifications.rendering import render
from orders.models import Order
from project.desk import all_at_once
from project.jobs.queryset import Status
from tests.desk import message, placed
from tests.factories import add_product
from tests.notifications.order_context import CONTEXT

pytestmark = pytest.mark.django_db

LIST = "/admin/notifications/notification/"
NO_MAILBOX = "550 5.1.1 <{recipient}>: no such mailbox (id 4XyZ12abcd)"


@pytest.fixture
def order(db: None) -> Order:
    order = placed(add_product("MUG"))
    Notification.objects.all().delete()
    return order


def failed(order: Order, number: int, *, error: str = NO_MAILBOX, **fields: Any) -> Notification:
    recipient = fields.pop("recipient", f"ada-{number}@example.org")
    job = message(
        order,
        status=Status.FAILED,
        recipient=recipient,
        error=error.format(recipient=recipient),
        **fields,
    )
    Notification.objects.filter(pk=job.pk).update(finished_at=Now())
    return job


def listed(client: Client, **query: str) -> list[str]:
    answer = client.get(LIST, query)
    assert answer.status_code == 200
    return sorted(job.recipient for job in answer.context["cl"].result_list)


def statuses() -> dict[str, int]:
    found: dict[str, int] = {}
    for status in Notification.objects.values_list("status", flat=True):
        found[status] = found.get(status, 0) + 1
    return found


def all_url(name: str, **query: str) -> str:
    url = reverse("admin:notifications_notification_all", args=[name])
    return f"{url}?{urlencode(query)}" if query else url


def confirm(client: Client, url: str, page: Any = None) -> Any:
    """Press the button of the page that asks."""
    page = page or client.get(url)
    asked_at = re.search(r'name="asked_at" value="([^"]+)"', page.content.decode())
    assert asked_at is not None
    return client.post(url, {"asked_at": asked_at[1]}, follow=True)


def words(answer: Any) -> str:
    return " ".join(unescape(strip_tags(answer.content.decode())).split())


# ── Narrowing down ──────────────────────────────────────────────────────────────────────────
def test_the_same_error_is_the_same_whatever_address_and_id_it_names(
    admin_client: Client, order: Order
) -> None:
    same = [failed(order, number) for number in range(3)]
    failed(order, 9, error="550 5.7.1 we don't like your links")
    page = admin_client.get(f"{LIST}{same[0].pk}/change/")
    link = re.search(r'notification/\?(error=[^"]+)"', page.content.decode())

    assert link is not None
    answer = admin_client.get(f"{LIST}?{link[1]}")

    assert {job.pk for job in answer.context["cl"].result_list} == {job.pk for job in same}
    assert "no such mailbox (id …) (3)" in words(admin_client.get(LIST))


def test_an_error_that_nobody_has_shows_nothing(admin_client: Client, order: Order) -> None:
    failed(order, 1)

    assert listed(admin_client, error="the moon is down") == []


@pytest.mark.parametrize(
    "query",
    [
        {"event": "order_shipped"},
        {"channel__exact": "sms"},
        {"delivery__exact": "bounced"},
        {"status__exact": "done"},
    ],
)
def test_messages_are_found_by_what_they_are(
    query: dict[str, str], admin_client: Client, order: Order
) -> None:
    failed(order, 1)
    wanted = message(order, recipient="x", status=Status.DONE, event="order_shipped", channel="sms")
    Notification.objects.filter(pk=wanted.pk).update(delivery="bounced", delivery_at=Now())

    assert listed(admin_client, **query) == ["x"]


def test_messages_are_found_by_date(admin_client: Client, order: Order) -> None:
    failed(order, 1)

    assert listed(admin_client, created_at__gte="2000-01-01 00:00:00+00:00") != []
    assert listed(admin_client, created_at__lt="2000-01-01 00:00:00+00:00") == []


# ── All at once ─────────────────────────────────────────────────────────────────────────────
def test_all_that_failed_for_one_reason_are_retried_after_their_number_is_shown(
    admin_client: Client, order: Order
) -> None:
    for number in range(3):
        failed(order, number)
    other = failed(order, 9, error="550 5.7.1 we don't like your links")
    url = all_url("retry", error="550 5.1.1 <…>: no such mailbox (id …)")

    page = admin_client.get(url)
    answer = confirm(admin_client, url, page)

    assert "Retry 3 messages?" in words(page)
    assert "same error" in words(page).lower()
    assert "3 jobs are queued again." in words(answer)
    assert statuses() == {Status.QUEUED: 3, Status.FAILED: 1}
    other.refresh_from_db()
    assert other.status == Status.FAILED


def test_the_list_offers_what_may_be_decided_about_all_of_it(
    admin_client: Client, order: Order
) -> None:
    failed(order, 1)
    message(order, recipient="ada-1@example.org", event="order_shipped")

    page = admin_client.get(LIST, {"q": "ada-1@"}).content.decode()
    narrowed = admin_client.get(LIST, {"status__exact": "done"}).content.decode()

    for name in ("retry", "give-up", "cancel"):
        assert f'href="{all_url(name)}?q=ada-1%40"' in page
    assert all_url("sent") not in page
    assert "/all/" not in narrowed


def test_asking_changes_nothing(admin_client: Client, order: Order) -> None:
    failed(order, 1)

    admin_client.get(all_url("retry"))

    assert statuses() == {Status.FAILED: 1}


def test_what_failed_after_the_question_is_not_retried(admin_client: Client, order: Order) -> None:
    failed(order, 1)
    page = admin_client.get(all_url("retry"))
    later = failed(order, 2)

    confirm(admin_client, all_url("retry"), page)

    later.refresh_from_db()
    assert later.status == Status.FAILED
    assert statuses() == {Status.QUEUED: 1, Status.FAILED: 1}


def test_thousands_are_decided_in_batches_and_a_slow_page_says_what_is_left(
    admin_client: Client, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        failed(order, number)
    monkeypatch.setattr(all_at_once, "BATCH_SIZE", 2)
    monkeypatch.setattr(all_at_once, "MAX_SECONDS", -1.0)

    first = confirm(admin_client, all_url("retry"))
    monkeypatch.setattr(all_at_once, "MAX_SECONDS", 8.0)
    second = confirm(admin_client, all_url("retry"))

    assert "2 jobs are queued again." in words(first)
    assert "3 messages are left: decide once more." in words(first)
    assert "3 jobs are queued again." in words(second)
    assert statuses() == {Status.QUEUED: 5}


def test_ten_thousand_are_retried_with_few_queries(admin_client: Client, order: Order) -> None:
    Notification.objects.bulk_create(
        Notification(
            kind="announcement.email",
            event="announcement",
            channel="email",
            recipient=f"{number}@example.org",
            language="en",
            status=Status.FAILED,
            error="550 no",
            finished_at=Now(),
        )
        for number in range(10_000)
    )
    page = admin_client.get(all_url("retry"))

    with CaptureQueriesContext(connection) as queries:
        confirm(admin_client, all_url("retry"), page)

    assert statuses() == {Status.QUEUED: 10_000}
    assert len(queries) < 60


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("give-up", Status.FAILED, Status.CANCELLED),
        ("sent", Status.UNKNOWN, Status.DONE),
        ("again", Status.UNKNOWN, Status.QUEUED),
    ],
)
def test_other_decisions_are_taken_about_all_too(
    name: str, before: Status, after: Status, admin_client: Client, order: Order
) -> None:
    job = failed(order, 1)
    Notification.objects.filter(pk=job.pk).update(status=before)

    confirm(admin_client, all_url(name))

    assert statuses() == {after: 1}


def test_what_is_queued_is_cancelled_and_what_is_being_sent_is_not(
    admin_client: Client, order: Order
) -> None:
    message(order)
    sending = message(order)
    Notification.objects.claim(sending.pk)

    answer = confirm(admin_client, all_url("cancel"))

    assert "1 message is cancelled." in words(answer)
    assert statuses() == {Status.CANCELLED: 1, Status.RUNNING: 1}


def test_who_may_only_look_is_offered_nothing(clerk_client: Client, order: Order) -> None:
    failed(order, 1)

    page = clerk_client.get(LIST)
    asked = clerk_client.get(all_url("retry"))
    done = clerk_client.post(all_url("retry"), {"asked_at": "2100-01-01T00:00:00+00:00"})

    assert "/all/" not in page.content.decode()
    assert (asked.status_code, done.status_code) == (403, 403)
    assert statuses() == {Status.FAILED: 1}


@pytest.mark.parametrize(
    "data",
    [{}, {"asked_at": ""}, {"asked_at": "yesterday"}, {"asked_at": "2026-01-01T00:00:00"}],
)
def test_an_answer_without_its_question_is_refused(
    data: dict[str, str], admin_client: Client, order: Order
) -> None:
    failed(order, 1)

    answer = admin_client.post(all_url("retry"), data)

    assert answer.status_code == 404
    assert statuses() == {Status.FAILED: 1}


def test_the_question_names_every_filter(admin_client: Client, order: Order) -> None:
    page = admin_client.get(
        all_url("retry", q="ada", created_at__year="2026", occasion="7", status__exact="failed")
    )

    assert "Search ada Status Failed Created year 2026 Occasion 7" in words(page)


def test_a_second_click_finds_nothing_left(admin_client: Client, order: Order) -> None:
    failed(order, 1)
    page = admin_client.get(all_url("retry"))
    confirm(admin_client, all_url("retry"), page)

    again = confirm(admin_client, all_url("retry"), page)

    assert "There is nothing left to decide." in words(again)


def test_an_unknown_decision_about_all_is_not_there(admin_client: Client) -> None:
    assert admin_client.get(all_url("explode")).status_code == 404
    assert admin_client.get(all_url("restart")).status_code == 404


def test_a_filter_that_makes_no_sense_leads_back_to_the_list(admin_client: Client) -> None:
    answer = admin_client.get(all_url("retry", created_at__gte="tomorrow"))

    assert answer.status_code == 302


# ── One message ─────────────────────────────────────────────────────────────────────────────
def test_a_message_goes_to_another_address_from_its_page(
    admin_client: Client, order: Order
) -> None:
    job = failed(order, 1)
    url = reverse("admin:notifications_notification_resend", args=[job.pk])
    page = admin_client.get(f"{LIST}{job.pk}/change/").content.decode()

    answer = admin_client.post(url, {"email": "new@example.org"}, follow=True)

    assert url in page
    copy = Notification.objects.get(recipient="new@example.org")
    assert copy.status == Status.QUEUED
    assert "Copy of the message to ada-1@example.org" in words(answer)
    again = admin_client.get(f"{LIST}{job.pk}/change/")
    assert "Sent to new@example.org, too" in words(again)


@pytest.mark.parametrize(
    ("channel", "recipient", "data", "says"),
    [
        ("email", "ada@example.org", {"email": "ada@"}, "E-mail address: this is none."),
        ("email", "ada@example.org", {"email": "ada@localhost"}, "E-mail address: this is none."),
        ("email", "ada@example.org", {"email": "a@b.c\nBcc: eve@x.org"}, "E-mail address:"),
        ("email", "ada@example.org", {"email": ""}, "This field is required"),
        ("email", "ada@example.org", {"email": "ADA@example.org"}, "went there already"),
        ("sms", "+4915112345678", {"phone": "12"}, "Phone number: this is none."),
        ("sms", "+4915112345678", {"phone": "0151 12345678"}, "went there already"),
    ],
)
def test_an_address_that_will_not_do_is_refused_at_its_field(
    channel: str,
    recipient: str,
    data: dict[str, str],
    says: str,
    admin_client: Client,
    order: Order,
) -> None:
    job = failed(order, 1, channel=channel, recipient=recipient)
    url = reverse("admin:notifications_notification_resend", args=[job.pk])

    answer = admin_client.post(url, data)

    assert answer.status_code == 422
    assert says in words(answer)
    assert Notification.objects.count() == 1


def test_a_national_number_goes_out_as_an_international_one(
    admin_client: Client, order: Order, settings: Any
) -> None:
    settings.SHOP_COUNTRY = "CN"
    job = failed(order, 1, channel="sms", recipient="+4915112345678")

    admin_client.post(
        reverse("admin:notifications_notification_resend", args=[job.pk]),
        {"phone": "138 1234 5678"},
    )

    assert Notification.objects.filter(recipient="+8613812345678").exists()


def test_a_code_is_not_sent_to_another_address(admin_client: Client, order: Order) -> None:
    job = failed(order, 1, event="sign_in_code")
    url = reverse("admin:notifications_notification_resend", args=[job.pk])

    page = admin_client.get(f"{LIST}{job.pk}/change/")
    answer = admin_client.post(url, {"email": "eve@example.org"})

    assert url not in page.content.decode()
    assert answer.status_code == 404
    assert Notification.objects.count() == 1


def test_who_may_only_look_can_not_send_anything(clerk_client: Client, order: Order) -> None:
    job = failed(order, 1)
    url = reverse("admin:notifications_notification_resend", args=[job.pk])

    answer = clerk_client.post(url, {"email": "eve@example.org"})

    assert url not in clerk_client.get(f"{LIST}{job.pk}/change/").content.decode()
    assert answer.status_code == 403


def test_a_messages_page_has_its_attempts(admin_client: Client, order: Order) -> None:
    job = failed(order, 1)
    entry = {"ended": "failed", "number": 1, "at": "2026-11-24T08:00:00+00:00", "seconds": 0.42}
    Notification.objects.filter(pk=job.pk).update(
        attempts_log=[{**entry, "words": "550 <b>no</b>", "lost": 0}]
    )

    page = admin_client.get(f"{LIST}{job.pk}/change/")

    assert "2026-11-24 08:00:00 0.42 s failed 550 <b>no</b>" in words(page)


def test_a_message_without_its_html_is_shown_rendered_again_and_says_so(
    clerk_client: Client, order: Order
) -> None:
    job = message(order, status=Status.DONE)
    job.context = CONTEXT
    job.save(update_fields=["context"])
    wording = render(job)
    fields = {"finished_at": Now(), "subject": wording.subject, "text": wording.text}
    shown, texts = [], []
    Notification.objects.filter(pk=job.pk).update(**fields)
    store_html(job, wording.html)
    for _look in range(2):
        page = clerk_client.get(f"{LIST}{job.pk}/change/").content.decode()
        shown.append(re.findall(r'srcdoc="([^"]*)"', page))
        texts.append("rendered again" in page)
        MessageHtml.objects.all().delete()

    assert shown[0] == shown[1] != []
    assert texts == [False, True]
