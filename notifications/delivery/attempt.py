"""One attempt to deliver one notification: text, in-doubt rule, gateway, breaker.

It runs under a claim (`project.jobs.run.run_job`), outside any transaction. The text is rendered
at the first claim and stored, so every attempt sends the same text under the same id.

A message stays with one gateway until that refuses it permanently; then the next one is tried. It
never changes its gateway while it is in doubt: the next one couldn't recognise it as a copy.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from notifications.channels.deadline import Deadline
from notifications.channels.message import (
    Message,
    NoAnswerError,
    NotAskedError,
    OurSettingsError,
    ProviderDownError,
    Receipt,
    RefusesUsError,
)
from notifications.delivery import (
    breaker,
    consent,
    daily_cap,
    known_numbers,
    quiet_hours,
    rate_limit,
)
from notifications.delivery.attachments import read_attachments
from notifications.delivery.gateways import Gateway, gateways
from notifications.delivery.stored_html import html_again, store_html, stored_html
from notifications.events import EVENTS, InDoubt
from notifications.models import Notification
from notifications.rendering import MASK, Wording, parameters, render, render_with_secrets
from project.database.clock import database_now
from project.jobs.errors import (
    JobError,
    LostClaimError,
    NotNowError,
    PermanentError,
    TransientError,
    UnknownOutcomeError,
)
from project.tracing.spans import span

logger = logging.getLogger(__name__)

SEND_SECONDS = 20.0
"""For the whole send; the lease is 30 s, so no attempt sends after its claim was lost."""
SECONDS_FOR_THE_NEXT = 8.0
"""The minimum for a gateway after a slow refusal of the one before: less could end in doubt."""
SETTINGS_LOOK = timedelta(minutes=15)
"""The time after which a message looks again whether our settings have been mended."""


def deliver(notification: Notification) -> dict[str, Any]:
    """Send the claimed notification and return the other side's answer.

    Raises TransientError, PermanentError, NotNowError while the channel's provider is down or the
    message has to wait for a limit or for our settings, NotWantedError if it may be switched off
    and was, UnknownOutcomeError if an operator has to decide about a possible duplicate, or
    LostClaimError.
    """
    deadline = Deadline(SEND_SECONDS)
    if notification.lost:
        doubt(notification, "the worker died while it sent the message")
    _refuse_expired(notification)
    consent.keep(notification)
    quiet_hours.keep(EVENTS[notification.event], now=timezone.now())
    known_numbers.refuse_unknown(notification)
    known = _known_gateways(notification)
    words = _words(notification, known)
    message = Message(
        id=notification.pk,
        recipient=notification.recipient,
        subject=words.subject,
        text=words.text,
        html=words.html,
        attachments=read_attachments(notification),
        unsubscribe_url=notification.context.get("unsubscribe_url", ""),
        event=notification.event,
        language=notification.language,
        parameters=parameters(notification),
    )
    receipt = _send(notification, message, known, deadline=deadline)
    notification.provider_id = receipt.provider_id
    answer = _masked(receipt.answer, notification)
    return {"provider_id": receipt.provider_id, "answer": answer}


def _known_gateways(notification: Notification) -> Sequence[Gateway]:
    known = gateways(notification.channel, event=notification.event)
    if not known:
        raise await_settings(f"SMS_URL has no gateway for {notification.event}")
    return known


def await_settings(reason: str) -> NotNowError:
    """Return the error that parks a message which our settings, not its recipient, hold up."""
    return NotNowError(reason, until=database_now() + SETTINGS_LOOK)


def _still_to_ask(notification: Notification, known: Sequence[Gateway]) -> Sequence[Gateway]:
    """Return the gateway that has the message and those after it; all if none has it."""
    names = [gateway.name for gateway in known]
    return known[names.index(notification.gateway) :] if notification.gateway in names else known


def _send(
    notification: Notification, message: Message, known: Sequence[Gateway], *, deadline: Deadline
) -> Receipt:
    """Hand the message to the first gateway that doesn't refuse it."""
    refusals: list[str] = []
    is_ours = False
    for gateway in _still_to_ask(notification, known):
        if notification.gateway != gateway.name:
            _store(notification, gateway=gateway.name)  # before it gets the message: see `doubt`
        if refusals and not deadline.leaves(SECONDS_FOR_THE_NEXT):
            raise TransientError(f"{refusals[-1]}; {gateway.host} will be asked")
        try:
            receipt = hand_over(notification, message, gateway, deadline=deadline)
        except (PermanentError, OurSettingsError) as refusal:
            is_ours = is_ours or isinstance(refusal, OurSettingsError)
            if len(known) == 1 or notification.maybe_duplicate:
                if is_ours:
                    raise await_settings(str(refusal)) from refusal
                raise
            logger.info("%s: %s refused it: %s", notification.pk, gateway.name, refusal)
            refusals.append(f"{gateway.host}: {refusal}")
        else:
            if refusals:
                said = "; ".join((*refusals, f"{gateway.host}: {receipt.answer}"))
                receipt = replace(receipt, answer=said)
            return receipt
    _store(notification, gateway="")  # a manual retry begins with the first gateway
    reason = "; ".join(refusals)
    raise await_settings(reason) if is_ours else PermanentError(reason)


def hand_over(
    notification: Notification, message: Message, gateway: Gateway, *, deadline: Deadline
) -> Receipt:
    """Send by this gateway, and report the outcome to its breaker and to the daily cap."""
    counted = daily_cap.take(notification)
    try:
        probing = breaker.admit(gateway.name)
        rate_limit.take(gateway.name)
    except NotNowError:
        daily_cap.give_back(counted)
        raise
    notification.handed_over = True
    try:
        with span("send", "client", gateway=gateway.name):
            return gateway.send(message, deadline=deadline)
    except JobError as error:
        notification.handed_over = isinstance(error, NoAnswerError)
        reason = _masked(str(error), notification)
        error.args = (reason,)
        if not notification.handed_over:
            daily_cap.give_back(counted)
        if isinstance(error, NoAnswerError):
            # Always a counted attempt: each may have made a copy.
            breaker.failed(gateway.name, reason, probing=probing)
            doubt(notification, reason)
        elif isinstance(error, NotAskedError):
            pass  # nothing was sent: the breaker learns nothing
        elif not isinstance(error, ProviderDownError):
            breaker.answered(gateway.name)  # an answer about this message: the provider is up
        elif breaker.failed(
            gateway.name,
            reason,
            probing=probing,
            is_sure=isinstance(error, RefusesUsError),
            retry_after=error.retry_after,
        ):
            raise NotNowError(reason) from error
        raise


def doubt(notification: Notification, reason: str) -> None:
    """Mark the message as in doubt. Raises UnknownOutcomeError if it must not be sent again."""
    _store(notification, maybe_duplicate=True)
    resend = EVENTS[notification.event].in_doubt is InDoubt.RESEND
    if not (resend and _knows_repeats(notification)):
        raise UnknownOutcomeError(reason)


def _knows_repeats(notification: Notification) -> bool:
    """Tell whether the message's gateway recognises a copy; a removed gateway can't."""
    known = gateways(notification.channel, event=notification.event)
    if not notification.gateway:
        known = known[:1]  # no gateway has it yet: the first one will get it
    else:
        known = tuple(gateway for gateway in known if gateway.name == notification.gateway)
    return any(gateway.repeats_are_safe() for gateway in known)


def _masked(answer: str, notification: Notification) -> str:
    """Return the other side's answer without our secrets: some answers quote the request."""
    for secret in (notification.secrets or {}).values():
        answer = answer.replace(secret, MASK)
    return answer


def _refuse_expired(notification: Notification) -> None:
    """Raise PermanentError if the message is too late, or its code was deleted."""
    event = EVENTS[notification.event]
    if event.secrets and not notification.secrets:
        raise PermanentError("expired: its code was deleted when the job finished before")
    if event.valid_for is None:
        return
    queued = Notification.objects.filter(pk=notification.pk)
    if queued.filter(created_at__lt=Now() - event.valid_for).exists():
        raise PermanentError("expired: its code is no longer valid")


def _words(notification: Notification, known: Sequence[Gateway]) -> Wording:
    """Return what is sent: what the first attempt wrote and stored, with the secrets if any."""
    if not notification.text:
        wording = render(notification)
        gateway = _still_to_ask(notification, known)[0]
        _store(notification, subject=wording.subject, text=wording.text, gateway=gateway.name)
        store_html(notification, wording.html)
    else:
        html = stored_html(notification)
        if not html:
            html = html_again(notification)
            store_html(notification, html)
        wording = Wording(notification.text, notification.subject, html)
    return render_with_secrets(notification) if notification.secrets else wording


def _store(notification: Notification, **values: Any) -> None:
    if not Notification.objects.held(notification).update(**values):
        raise LostClaimError(notification.pk)
    for name, value in values.items():
        setattr(notification, name, value)
