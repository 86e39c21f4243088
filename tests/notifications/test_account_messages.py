"""Messages with secrets: only the recipient sees the secret, and the row drops it at the end."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.db.models.functions import Now

from notifications.channels.message import Message, Receipt
from notifications.events import EVENTS
from notifications.models import Notification
from notifications.outbox import account_message
from notifications.rendering import MASK, render, render_with_secrets
from project.jobs.dispatch import bury
from project.jobs.errors import JobError, PermanentError, TransientError
from project.jobs.queryset import Status
from project.jobs.run import run_job

pytestmark = pytest.mark.django_db

CODE = "BCDF-GHJK"
LIVE = ["sign_up_confirmation", "email_confirmation", "sign_in_code", "password_reset"]


class QuotingChannel:
    """A provider that repeats what it got, in its answers and in its refusals."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.refusal: type[JobError] | None = None

    def send(self, message: Message, *, url: str, deadline: object) -> Receipt:
        self.sent.append(message)
        if self.refusal:
            raise self.refusal(f"I don't like {message.text}")
        return Receipt(provider_id="42", answer=f"accepted: {message.text}")

    def repeats_are_safe(self, url: str) -> bool:
        return True


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> QuotingChannel:
    channel = QuotingChannel()
    monkeypatch.setattr(
        "notifications.delivery.gateways.Gateway.channel_module", lambda gateway: channel
    )
    return channel


def queue_code(event: str = "sign_in_code") -> Notification:
    message = account_message(
        event=event, recipient="ada@example.org", language="en", context={"code": CODE}
    )
    message.save(force_insert=True)
    return message


def everything_kept(message: Notification) -> str:
    """All that the database has of the message."""
    return str(Notification.objects.filter(pk=message.pk).values().get())


@pytest.mark.parametrize("event", [*LIVE, "phone_confirmation"])
def test_a_code_reaches_its_recipient_and_is_kept_nowhere(
    channel: QuotingChannel, event: str
) -> None:
    message = queue_code(event)
    assert CODE in everything_kept(message)

    run_job(Notification, message.pk)

    [sent] = channel.sent
    assert CODE in sent.text
    assert CODE not in everything_kept(message)
    message.refresh_from_db()
    assert message.status == Status.DONE
    assert MASK in message.text


def test_what_is_shown_of_an_open_message_is_masked() -> None:
    message = queue_code()

    shown, said = render(message), render_with_secrets(message)

    assert CODE not in f"{shown}{message.context}"
    assert CODE in said.text
    assert CODE in said.html
    assert CODE in said.subject


def test_a_retry_says_the_same_code(channel: QuotingChannel) -> None:
    message = queue_code()
    channel.refusal = TransientError
    with pytest.raises(TransientError):
        run_job(Notification, message.pk)
    Notification.objects.update(run_after=Now())
    channel.refusal = None

    run_job(Notification, message.pk)

    first, second = channel.sent
    assert CODE in second.text
    assert first == second


@pytest.mark.parametrize("refusal", [TransientError, PermanentError])
def test_a_reason_that_quotes_the_code_is_masked(
    channel: QuotingChannel, refusal: type[JobError]
) -> None:
    message = queue_code()
    channel.refusal = refusal

    with pytest.raises(refusal) as raised:
        run_job(Notification, message.pk)

    message.refresh_from_db()
    assert MASK in message.error
    assert CODE not in f"{message.error}{raised.value}"


def test_a_code_that_has_expired_is_not_sent(channel: QuotingChannel) -> None:
    message = queue_code()
    valid_for = EVENTS["sign_in_code"].valid_for
    assert valid_for is not None
    Notification.objects.update(created_at=Now() - valid_for - timedelta(seconds=1))

    with pytest.raises(PermanentError, match="expired"):
        run_job(Notification, message.pk)

    assert channel.sent == []
    assert CODE not in everything_kept(message)


def test_a_failed_code_cannot_be_sent_by_a_retry(channel: QuotingChannel) -> None:
    message = queue_code()
    channel.refusal = PermanentError
    with pytest.raises(PermanentError):
        run_job(Notification, message.pk)
    Notification.objects.retry_failed()

    with pytest.raises(PermanentError, match="expired"):
        run_job(Notification, message.pk)

    assert len(channel.sent) == 1


def test_a_message_whose_workers_died_forgets_its_code() -> None:
    message = queue_code()
    for _death in range(3):
        assert Notification.objects.claim(message.pk)
        Notification.objects.update(lease_until=Now() - timedelta(seconds=1))

    bury(Notification)

    assert CODE not in everything_kept(message)


def test_the_database_refuses_a_secret_of_a_finished_message() -> None:
    message = queue_code()

    with pytest.raises(IntegrityError, match="keeps_secrets_only_while_open"):
        Notification.objects.filter(pk=message.pk).update(status=Status.CANCELLED)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize(
    "event", [*LIVE, "account_exists", "unknown_account", "account_changed", "order_link"]
)
def test_every_message_has_all_its_parts(event: str, language: str) -> None:
    context = {"code": CODE, "url": "http://localhost/x/", "number": "T1", "change": "email"}
    message = account_message(
        event=event, recipient="ada@example.org", language=language, context=context
    )

    wording = render(message)

    assert wording.subject
    assert ("http://localhost/x/" in wording.text) == ("http://localhost/x/" in wording.html)
    assert "{{" not in f"{wording}"
