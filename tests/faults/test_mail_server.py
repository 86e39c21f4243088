"""A mail server that fails in each way: the message gets through, or the row says why not."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from email import message_from_bytes
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from notifications.channels import email as email_channel
from notifications.channels.message import ProviderDownError
from notifications.delivery.breaker import FAILURES_TO_OPEN
from notifications.models import ChannelState, Notification
from project.jobs.errors import JobError
from project.jobs.queryset import MAX_ATTEMPTS, JobQuerySet, Status
from project.jobs.run import run_job
from tests.notifications.gateway import Gateway

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def writers_end_with_the_test() -> None:
    """None starts: no order is placed here."""


class ScriptedHandler:
    """Answers each RCPT with the next of `answers`, then with yes, and keeps what it gets."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.ids: list[str] = []

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address.startswith("bad"):
            return "450 4.2.1 Mailbox busy"
        if self.answers:
            answer = self.answers.pop(0)
            if answer != "250 OK":
                return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.ids.append(message_from_bytes(envelope.content)["Message-ID"].strip())
        return "250 OK"


class DropsFirst(ScriptedHandler):
    """Takes the first message and hangs up without a word."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = await super().handle_DATA(server, session, envelope)
        if len(self.ids) == 1:
            server.transport.abort()
        return answer


def attempt(message: Notification) -> Notification:
    """One attempt, as soon as it is due."""
    Notification.objects.filter(pk=message.pk).update(run_after=Now() - timedelta(seconds=1))
    with suppress(JobError):
        run_job(Notification, message.pk)
    message.refresh_from_db()
    return message


def wait_of(message: Notification) -> float:
    """Seconds until the next attempt, by the database's clock."""
    [left] = Notification.objects.filter(pk=message.pk).values_list(
        F("run_after") - Now(), flat=True
    )
    return left.total_seconds()


def test_closed_then_busy_then_yes_is_sent_after_two_backoffs(queued, mail_server) -> None:
    server = ScriptedHandler("421 4.3.2 Shutting down", "450 4.2.1 Mailbox busy")
    mail_server(server)
    message = queued("email")

    first = attempt(message)
    assert (first.status, first.error) == (Status.QUEUED, "421 4.3.2 Shutting down")
    assert 3 < wait_of(message) < 7
    second = attempt(message)
    assert (second.status, second.error) == (Status.QUEUED, "450 4.2.1 Mailbox busy")
    assert 11 < wait_of(message) < 19

    sent = attempt(message)
    assert (sent.status, sent.error, sent.attempts) == (Status.DONE, "", 3)
    assert len(server.ids) == 1
    assert not sent.maybe_duplicate


def test_a_greylisted_message_is_sent_when_the_server_knows_us(queued, mail_server) -> None:
    mail_server(ScriptedHandler("451 4.7.1 Greylisted, come back in a minute"))
    message = queued("email")

    assert "Greylisted" in attempt(message).error
    assert attempt(message).status == Status.DONE
    assert not ChannelState.objects.filter(openings__gt=0).exists()


def test_control_without_another_attempt_the_first_no_is_the_last(
    queued, mail_server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ScriptedHandler("450 4.2.1 Mailbox busy")
    mail_server(server)
    monkeypatch.setattr(JobQuerySet, "retry_later", JobQuerySet.fail)
    message = queued("email")

    assert attempt(message).status == Status.FAILED
    assert server.ids == []


def test_a_refusal_fails_at_once_with_the_servers_words(queued, mail_server) -> None:
    mail_server(ScriptedHandler("550 5.1.1 No such user here"))

    message = attempt(queued("email"))

    assert (message.status, message.attempts) == (Status.FAILED, 1)
    assert message.error == "550 5.1.1 No such user here"


def test_a_message_dropped_in_data_is_sent_again_under_its_id_and_marked(
    queued: Callable[..., Notification],
    mail_server: Callable[[Any], None],
) -> None:
    server = DropsFirst()
    mail_server(server)
    message = queued("email")

    assert attempt(message).maybe_duplicate
    sent = attempt(message)

    assert (sent.status, sent.maybe_duplicate) == (Status.DONE, True)
    first, second = server.ids
    assert first == second


def test_control_with_an_id_for_each_attempt_nobody_could_tell_a_copy(
    queued, mail_server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = DropsFirst()
    mail_server(server)
    monkeypatch.setattr(email_channel, "sender_domain", lambda: f"{uuid4()}.example.org")
    message = queued("email")

    assert attempt(attempt(message)).status == Status.DONE

    first, second = server.ids
    assert first != second


def test_one_bad_recipient_holds_up_no_other(queued, mail_server) -> None:
    server = ScriptedHandler()
    mail_server(server)
    bad, others = queued("email"), [queued("email") for _ in range(6)]
    Notification.objects.filter(pk=bad.pk).update(recipient="bad@example.org")

    for message in others:
        attempt(bad)
        assert attempt(message).status == Status.DONE
    for _attempt in range(MAX_ATTEMPTS - len(others)):
        attempt(bad)

    bad.refresh_from_db()
    assert (bad.status, bad.error) == (Status.FAILED, "450 4.2.1 Mailbox busy")
    assert len(server.ids) == 6


def test_control_taken_for_the_servers_trouble_a_bad_recipient_holds_up_others(
    queued, mail_server, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_server(ScriptedHandler())
    monkeypatch.setattr(email_channel, "error_for", lambda error: ProviderDownError(str(error)))
    bad, other = queued("email"), queued("email")
    Notification.objects.filter(pk=bad.pk).update(recipient="bad@example.org")

    for _attempt in range(FAILURES_TO_OPEN):
        attempt(bad)

    assert attempt(other).status == Status.QUEUED


@pytest.mark.parametrize(("name", "asked"), [("sent", 1), ("again", 2)])
def test_an_operator_decides_about_an_sms_that_nobody_can_vouch_for(
    queued,
    gateway,
    settings,
    admin_client: Client,
    name: str,
    asked: int,
) -> None:
    settings.SMS_URL += "#no-keys"
    gateway.answers = [Gateway.DISCONNECT, 201]
    message = attempt(queued("sms"))
    assert (message.status, message.maybe_duplicate) == (Status.UNKNOWN, True)
    page = reverse("admin:notifications_notification_change", args=[message.pk])
    decide = reverse("admin:notifications_notification_decide", args=[message.pk, name])
    assert decide in admin_client.get(page).content.decode()

    admin_client.post(decide)

    message.refresh_from_db()
    if name == "again":
        attempt(message)
    assert message.status == Status.DONE
    assert len(gateway.asked) == asked
