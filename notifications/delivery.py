"""One attempt to deliver one notification: breaker, words, doubt, channel.

It runs under a claim (`project.job_runs.run_job`), outside any transaction. The words are rendered
at the first claim and stored, so every attempt says the same under the same id.
"""

from typing import Any

from django.db.models.functions import Now

from notifications import breaker
from notifications.attachments import read_attachments
from notifications.channels import CHANNELS
from notifications.channels.deadline import Deadline
from notifications.channels.message import (
    Message,
    NoAnswerError,
    ProviderDownError,
    Receipt,
)
from notifications.events import EVENTS, InDoubt
from notifications.models import Notification
from notifications.rendering import MASK, Wording, render, render_with_secrets
from project.job_runs import (
    JobError,
    LostClaimError,
    NotNowError,
    PermanentError,
    UnknownOutcomeError,
)

SEND_SECONDS = 20.0
"""For the whole send; the lease is 30 s, so no attempt sends after its claim is lost."""


def deliver(notification: Notification) -> dict[str, Any]:
    """Send the claimed notification and return what the other side answered.

    Raises TransientError, PermanentError, NotNowError while the channel's provider is down,
    UnknownOutcomeError where a person has to decide about a possible duplicate, or
    LostClaimError.
    """
    deadline = Deadline(SEND_SECONDS)
    if notification.lost:
        _doubt(notification, "the worker died while it sent the message")
    _refuse_expired(notification)
    if not notification.text:
        _word(notification)
    words: Notification | Wording = notification
    if notification.secrets:
        words = render_with_secrets(notification)
    message = Message(
        id=notification.pk,
        recipient=notification.recipient,
        subject=words.subject,
        text=words.text,
        html=words.html,
        attachments=read_attachments(notification),
    )
    receipt = _send(notification, message, deadline=deadline)
    notification.provider_id = receipt.provider_id
    answer = _masked(receipt.answer, notification)
    return {"provider_id": receipt.provider_id, "answer": answer}


def _send(notification: Notification, message: Message, *, deadline: Deadline) -> Receipt:
    """Hand the message to its channel, and tell the breaker what that says of the provider."""
    channel = notification.channel
    probing = breaker.admit(channel)
    try:
        return CHANNELS[channel].send(message, deadline=deadline)
    except JobError as error:
        reason = _masked(str(error), notification)
        error.args = (reason,)
        if isinstance(error, NoAnswerError):
            # Always a counted attempt: each may have made a copy.
            breaker.failed(channel, reason, probing=probing)
            _doubt(notification, reason)
        elif not isinstance(error, ProviderDownError):
            breaker.answered(channel)  # it spoke about this message: it is there
        elif breaker.failed(channel, reason, probing=probing):
            raise NotNowError(reason) from error
        raise


def give_back(notification: Notification) -> None:
    """End the claim of a message whose sending is cut short: it may have arrived."""
    try:
        _doubt(notification, "the worker was stopped while it sent the message")
    except UnknownOutcomeError as error:
        Notification.objects.leave_unknown(notification, str(error))
    except LostClaimError:
        pass  # it ended at the last moment
    else:
        Notification.objects.give_back(notification)


def _doubt(notification: Notification, reason: str) -> None:
    """Mark that the message may have arrived; stop here if it must not be sent again."""
    _store(notification, maybe_duplicate=True)
    resend = EVENTS[notification.event].in_doubt is InDoubt.RESEND
    if not (resend and CHANNELS[notification.channel].repeats_are_safe()):
        raise UnknownOutcomeError(reason)


def _masked(answer: str, notification: Notification) -> str:
    """Return the other side's words without our secrets: some quote what they were sent."""
    for secret in (notification.secrets or {}).values():
        answer = answer.replace(secret, MASK)
    return answer


def _refuse_expired(notification: Notification) -> None:
    """Raise PermanentError if the message came too late, or its code is gone already."""
    event = EVENTS[notification.event]
    if event.secrets and not notification.secrets:
        raise PermanentError("expired: its code was deleted when the job was settled before")
    if event.valid_for is None:
        return
    queued = Notification.objects.filter(pk=notification.pk)
    if queued.filter(created_at__lt=Now() - event.valid_for).exists():
        raise PermanentError("expired: its code is no longer valid")


def _word(notification: Notification) -> None:
    wording = render(notification)
    _store(notification, subject=wording.subject, text=wording.text, html=wording.html)


def _store(notification: Notification, **values: Any) -> None:
    if not Notification.objects.held(notification).update(**values):
        raise LostClaimError(notification.pk)
    for name, value in values.items():
        setattr(notification, name, value)
