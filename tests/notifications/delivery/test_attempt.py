"""One attempt and what it leaves, against real servers and a real database."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models.functions import Now

from notifications.delivery import attempt
from notifications.events import EVENTS, InDoubt
from notifications.handler import NotificationHandler
from notifications.models import Notification
from project.jobs.errors import LostClaimError, PermanentError, TransientError, UnknownOutcomeError
from project.jobs.queryset import Status
from project.jobs.run import run_job
from tests.notifications.gateway import Gateway


def run(notification: Notification) -> Notification:
    """Make one attempt; its error is on the row."""
    try:
        run_job(Notification, notification.pk)
    except (TransientError, PermanentError, UnknownOutcomeError):
        pass
    notification.refresh_from_db()
    return notification


def make_due(notification: Notification) -> None:
    """As if the backoff were over."""
    Notification.objects.filter(pk=notification.pk).update(run_after=Now() - timedelta(seconds=1))


def die_at_work(notification: Notification) -> None:
    """As if a worker had claimed it and died, and its lease were over."""
    assert Notification.objects.claim(notification.pk)
    Notification.objects.filter(pk=notification.pk).update(lease_until=Now() - timedelta(seconds=1))


def test_an_email_is_delivered_and_the_row_says_how(queued, mailbox):
    sent = run(queued("email"))

    [kept] = mailbox.messages()
    assert sent.status == Status.DONE
    assert kept.recipients == ["zoe@example.org"]
    assert kept.subject == sent.subject == "Your order T1001 at Tandem"
    assert str(sent.pk) in sent.provider_id
    assert sent.result
    assert sent.result["answer"] == f"250 2.0.0 Kept as {kept.id}"
    assert not sent.maybe_duplicate


def test_an_sms_is_delivered_and_the_row_has_the_gateways_id(queued, mailbox):
    sent = run(queued("sms"))

    [kept] = mailbox.messages()
    assert sent.status == Status.DONE
    assert kept.text == sent.text
    assert sent.provider_id == kept.id


def test_the_words_are_rendered_once_and_stay_the_same(queued, gateway, monkeypatch):
    gateway.answers = [503, 201]
    notification = queued("sms")
    first = run(notification).text
    make_due(notification)
    monkeypatch.setattr(attempt, "render", lambda _: pytest.fail("rendered a second time"))

    again = run(notification)

    assert again.status == Status.DONE
    assert gateway.asked[1].body["text"] == first


def test_a_transient_failure_is_queued_again_without_a_mark(queued, gateway):
    gateway.answers = [503]

    notification = run(queued("sms"))

    assert notification.status == Status.QUEUED
    assert notification.error.startswith("503")
    assert not notification.maybe_duplicate


def test_a_permanent_failure_fails_at_once_with_the_gateways_words(queued, gateway):
    gateway.answers = [422]

    notification = run(queued("sms"))

    assert notification.status == Status.FAILED
    assert notification.error.startswith("422")


def test_doubt_with_keys_is_marked_and_asked_again_under_the_same_key(queued, gateway):
    gateway.answers = [Gateway.DISCONNECT, 201]
    notification = run(queued("sms"))
    assert (notification.status, notification.maybe_duplicate) == (Status.QUEUED, True)
    make_due(notification)

    again = run(notification)

    first, second = gateway.asked
    assert (again.status, again.maybe_duplicate) == (Status.DONE, True)
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]


def test_doubt_without_keys_is_left_for_a_person(queued, gateway, settings):
    settings.SMS_URL += "#no-keys"
    gateway.answers = [Gateway.DISCONNECT]

    notification = run(queued("sms"))

    assert (notification.status, notification.maybe_duplicate) == (Status.UNKNOWN, True)
    assert "no answer from the SMS gateway" in notification.error


def test_a_plain_refusal_without_keys_is_simply_tried_again(queued, gateway, settings):
    settings.SMS_URL += "#no-keys"
    gateway.answers = [503]

    assert run(queued("sms")).status == Status.QUEUED


def test_an_email_whose_worker_died_is_sent_again_and_marked(queued, mailbox):
    notification = queued("email")
    die_at_work(notification)

    sent = run(notification)

    assert (sent.status, sent.lost, sent.maybe_duplicate) == (Status.DONE, 1, True)
    assert len(list(mailbox.messages())) == 1


def test_an_sms_whose_worker_died_is_not_asked_again_without_keys(queued, gateway, settings):
    settings.SMS_URL += "#no-keys"
    notification = queued("sms")
    die_at_work(notification)

    left = run(notification)

    assert left.status == Status.UNKNOWN
    assert gateway.asked == []


def test_an_sms_whose_worker_stops_meanwhile_is_left_for_a_person_without_keys(
    queued, gateway, settings
):
    settings.SMS_URL += "#no-keys"
    notification = Notification.objects.claim(queued("sms").pk)
    assert isinstance(notification, Notification)

    NotificationHandler().release(notification)

    notification.refresh_from_db()
    assert (notification.status, notification.maybe_duplicate) == (Status.UNKNOWN, True)
    assert notification.error == "the worker was stopped while it sent the message"


def test_an_event_may_ask_instead_of_sending_twice(queued, gateway, monkeypatch):
    event = replace(EVENTS["order_placed"], in_doubt=InDoubt.ASK)
    monkeypatch.setitem(EVENTS, "order_placed", event)
    gateway.answers = [Gateway.DISCONNECT]

    assert run(queued("sms")).status == Status.UNKNOWN


def test_a_claim_that_was_lost_before_sending_sends_nothing(queued, gateway):
    notification = queued("sms")
    claimed = Notification.objects.claim(notification.pk)
    assert isinstance(claimed, Notification)
    Notification.objects.filter(pk=notification.pk).update(token=uuid4())

    with pytest.raises(LostClaimError):
        attempt.deliver(claimed)
    assert gateway.asked == []


def test_the_whole_send_is_shorter_than_the_lease():
    assert Notification.lease.total_seconds() >= attempt.SEND_SECONDS + 5


def test_an_operator_may_say_that_it_was_sent_after_all(queued, gateway, settings):
    settings.SMS_URL += "#no-keys"
    gateway.answers = [Gateway.DISCONNECT]
    notification = run(queued("sms"))

    assert Notification.objects.filter(pk=notification.pk).confirm_sent() == 1

    notification.refresh_from_db()
    assert (notification.status, notification.error) == (Status.DONE, "")


def test_an_operator_may_send_again_what_was_left_unknown(queued, gateway, settings):
    settings.SMS_URL += "#no-keys"
    gateway.answers = [Gateway.DISCONNECT, 201]
    notification = run(queued("sms"))

    assert Notification.objects.filter(pk=notification.pk).send_again() == 1

    sent = run(notification)
    assert (sent.status, sent.maybe_duplicate) == (Status.DONE, True)
    assert len(gateway.asked) == 2


def test_only_unknown_messages_wait_for_a_decision(queued, gateway):
    gateway.answers = [422]
    failed = run(queued("sms"))

    assert Notification.objects.filter(pk=failed.pk).confirm_sent() == 0
    assert Notification.objects.filter(pk=failed.pk).send_again() == 0
