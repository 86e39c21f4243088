"""A message that waits is asked again when it leaves, and a complaint is taken as a no."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db.models.functions import Now

from notifications.channels.message import Receipt
from notifications.delivery import attempt, consent
from notifications.models import Notification
from notifications.receipts.effect import apply
from notifications.receipts.report import Report
from orders.accounts.unsubscribe import reader_of, unsubscribe, unsubscribe_url
from orders.messages import announcements
from orders.messages.announcements import send_announcements, stop
from orders.models import Announcement, DeskJob, Order, User
from project.jobs.errors import NotWantedError
from project.jobs.queryset import Status
from project.jobs.run import run_job
from tests.orders.readers import draft, plan_as_shown, subscribe

pytestmark = pytest.mark.django_db

Delivery = Notification.Delivery


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """To whom messages left."""
    left: list[str] = []

    def send(notification: Notification, *arguments: Any, **options: Any) -> Receipt:
        left.append(notification.recipient)
        return Receipt(provider_id="1", answer="250 OK")

    monkeypatch.setattr(attempt, "_send", send)
    return left


def announced() -> tuple[User, Notification]:
    """Return a reader and the announcement's message that waits for them."""
    [reader] = subscribe(1)
    announcement = draft()
    plan_as_shown(announcement)
    send_announcements()
    run_job(DeskJob, DeskJob.objects.get().pk)
    return reader, Notification.objects.get()


def order_message(event: str = "order_delivered", **fields: Any) -> Notification:
    values: dict[str, Any] = {
        "kind": f"{event}.email",
        "event": event,
        "channel": "email",
        "recipient": "ada@example.org",
        "language": "en",
        "text": "words",
    }
    return Notification.objects.create(**values | fields)


def came_back(recipient: str, delivery: str) -> None:
    order_message(
        "order_placed", recipient=recipient, status="done", delivery=delivery, delivery_at=Now()
    )


def left(message: Notification) -> tuple[str, str]:
    """Let a worker take the message, and return how it ended and why."""
    try:
        run_job(Notification, message.pk)
    except NotWantedError:
        pass
    message.refresh_from_db()
    return message.status, message.error


def test_what_is_still_wanted_leaves(sent: list[str]) -> None:
    reader, message = announced()

    assert left(message) == (Status.DONE, "")
    assert sent == [reader.email]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda reader: unsubscribe(user_id=reader.pk, event="announcement"), "switched"),
        (lambda reader: User.objects.update(is_active=False), "account is gone"),
        (lambda reader: User.objects.all().delete(), "account is gone"),
        (lambda reader: EmailAddress.objects.update(email="new@example.org"), "another address"),
        (lambda reader: came_back(reader.email, Delivery.BOUNCED), "came back"),
        (lambda reader: came_back(reader.email.capitalize(), Delivery.COMPLAINED), "complained"),
        (
            lambda reader: stop(Announcement.objects.get().pk, user_id=None),
            "announcement was stopped",
        ),
    ],
    ids=["unsubscribed", "closed", "deleted", "moved", "bounced", "complained", "stopped"],
)
def test_an_announcement_that_is_no_longer_wanted_does_not_leave(
    change: Any, reason: str, sent: list[str]
) -> None:
    reader, message = announced()
    change(reader)

    status, error = left(message)

    assert status == Status.CANCELLED
    assert reason in error
    assert sent == []
    assert message.attempts_log[-1]["ended"] == "cancelled"


def test_control_without_the_question_it_leaves(
    sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consent, "_asked", [])
    reader, message = announced()
    unsubscribe(user_id=reader.pk, event="announcement")

    assert left(message)[0] == Status.DONE
    assert sent == [reader.email]


def test_one_that_failed_when_it_was_stopped_is_not_sent_by_its_retry(sent: list[str]) -> None:
    _reader, message = announced()
    Notification.objects.filter(pk=message.pk).update(status=Status.FAILED)
    announcements.stop(Announcement.objects.get().pk, user_id=None)
    Notification.objects.all().retry_failed()

    assert left(message)[0] == Status.CANCELLED


def test_a_bounce_is_forgotten_once_something_was_delivered(sent: list[str]) -> None:
    reader, message = announced()
    came_back(reader.email, Delivery.BOUNCED)
    came_back(reader.email, Delivery.DELIVERED)

    assert left(message)[0] == Status.DONE


def test_a_copy_to_somebody_else_goes_where_the_operator_said(sent: list[str]) -> None:
    _reader, message = announced()
    Notification.objects.filter(pk=message.pk).update(
        recipient="other@example.org", resent_from=message.pk
    )

    assert left(message)[0] == Status.DONE
    assert sent == ["other@example.org"]


# ── Messages about orders ───────────────────────────────────────────────────────────────────
@pytest.fixture
def order() -> Order:
    user = User.objects.create_user("ada@example.org", email="ada@example.org")
    return Order.objects.create(
        pk="00000000-0000-0000-0000-000000000001",
        name="Ada",
        email="ada@example.org",
        user=user,
        language="en",
        currency="EUR",
        items_total="1.00",
        total="1.00",
    )


def test_a_muted_event_does_not_leave_and_one_that_cannot_be_muted_does(
    order: Order, sent: list[str]
) -> None:
    delivered = order_message(order_id=order.pk)
    paid = order_message("order_paid", order_id=order.pk)
    unsubscribe(user_id=order.user_id or 0, event="order_delivered")

    status, reason = left(delivered)
    assert (status, "switched these messages off" in reason) == (Status.CANCELLED, True)
    assert left(paid)[0] == Status.DONE


def test_a_bounce_stops_what_may_be_muted_and_nothing_else(order: Order, sent: list[str]) -> None:
    came_back("ada@example.org", Delivery.BOUNCED)

    assert left(order_message(order_id=order.pk))[0] == Status.CANCELLED
    assert left(order_message("order_paid", order_id=order.pk))[0] == Status.DONE


# ── A complaint ─────────────────────────────────────────────────────────────────────────────
def complain(message: Notification) -> bool | None:
    Notification.objects.filter(pk=message.pk).update(status="done")
    report = Report(delivery=Delivery.COMPLAINED, message_id=message.pk)
    return apply(report, channel="email")


def wants(user: User) -> bool:
    return User.objects.get(pk=user.pk).wants_announcements


def test_a_complaint_switches_announcements_off_for_that_account_alone() -> None:
    reader, message = announced()
    [other] = subscribe(1)

    assert complain(message)

    assert (wants(reader), wants(other)) == (False, True)


def test_a_complaint_about_an_order_switches_off_the_account_of_its_address() -> None:
    [reader] = subscribe(1)

    complain(order_message("order_placed", recipient=reader.email.capitalize()))

    assert not wants(reader)


def test_the_account_that_a_message_went_to_is_found_after_its_address_changed() -> None:
    reader, message = announced()
    EmailAddress.objects.update(email="new@example.org")

    complain(message)

    assert not wants(reader)


def test_a_complaint_is_taken_once() -> None:
    reader, message = announced()
    complain(message)
    User.objects.update(wants_announcements=True)

    assert not complain(message)
    assert wants(reader)


def test_a_bounce_leaves_the_account_its_choice() -> None:
    reader, message = announced()

    apply(Report(delivery=Delivery.BOUNCED, message_id=message.pk), channel="email")

    assert wants(reader)


@pytest.mark.parametrize("url", ["", "https://example.org/", "https://example.org/u/a:b/", "x"])
def test_other_links_name_no_reader(url: str) -> None:
    assert reader_of(url) is None
    assert reader_of(unsubscribe_url(user_id=7, event="announcement")) == 7
