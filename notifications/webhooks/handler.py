"""The handler of webhook deliveries: one attempt, and the next deliveries of the same endpoint."""

import logging
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import Error

from notifications.models import WebhookDelivery, WebhookEndpoint
from notifications.webhooks import admission, attempts, wellbeing
from notifications.webhooks.kinds import body_of
from notifications.webhooks.sending import GONE, make_request, send, unusable
from project.database.clock import database_now
from project.jobs.errors import (
    JobError,
    LostClaimError,
    NotClaimedError,
    NotNowError,
    PermanentError,
    TransientError,
)
from project.jobs.handler import JobHandler
from project.jobs.queryset import Status
from project.jobs.run import run_job
from project.jobs.shutdown import is_stopping

logger = logging.getLogger(__name__)

UNREADABLE = "the key can't be read: SECRET_KEY was replaced, or a backup restored"
GOES_ON = 3.0
"""Seconds for which a thread goes on with an endpoint's next deliveries, without the relay."""


class WebhookHandler(JobHandler[WebhookDelivery]):
    model = WebhookDelivery

    def before_dispatch(self) -> None:
        admission.admit()

    def perform(self, job: WebhookDelivery) -> dict[str, Any]:
        endpoint, now = job.endpoint, database_now()
        _refuse_now(endpoint, now=now)
        if not job.body:
            job.body = body_of(job)
            if not WebhookDelivery.objects.held(job).update(body=job.body):
                raise LostClaimError(job.pk)
        try:
            request = make_request(job, now=now)
        except InvalidToken as error:
            wellbeing.note_silence(endpoint, reason=UNREADABLE)
            raise TransientError(UNREADABLE) from error
        except ValueError as error:
            wellbeing.note_silence(endpoint, reason=unusable(error))
            raise TransientError(unusable(error)) from error
        began = monotonic()
        outcome = send(request)
        job.answer_status, job.retry_after = outcome.status, outcome.retry_after
        job.sent = attempts.sent(
            request, at=now, seconds=monotonic() - began, status=outcome.status
        )
        if outcome.is_away:
            wellbeing.note_silence(endpoint, reason=outcome.words, retry_after=outcome.retry_after)
            raise TransientError(outcome.words)
        if outcome.status == GONE:
            wellbeing.switch_off(endpoint, reason=outcome.words)
            raise PermanentError(outcome.words)
        wellbeing.note_answer(endpoint)
        if not outcome.is_taken:
            wellbeing.note_refusal(endpoint, reason=outcome.words)
            raise TransientError(outcome.words)
        wellbeing.note_taken(endpoint)
        return {"answer": outcome.words, "status": outcome.status}

    def attempt_fields(self, job: WebhookDelivery, ended: str, words: str) -> dict[str, Any]:
        return {
            "attempts_log": attempts.logged(job, ended=ended, words=words),
            "answer_status": job.answer_status if job.sent else None,
        }

    def after_attempt(self, job_id: UUID) -> None:
        """Go on with the endpoint's next deliveries, while it takes them, in the same thread.

        Their sequence would otherwise wait for the relay's next look between any two. What comes
        back to an endpoint that was switched off meanwhile is cancelled, as what waited then was.
        """
        try:
            wellbeing.cancel_returned(job_id)
            until = monotonic() + GOES_ON
            done: UUID | None = job_id
            while done and monotonic() < until and not is_stopping():
                done = _deliver_next(done)
        except Error as error:
            logger.warning("the next delivery waits for the relay: %s", error)

    def kept_for(self) -> timedelta:
        return timedelta(days=settings.KEEP_WEBHOOKS_DAYS)


def _deliver_next(done: UUID) -> UUID | None:
    """Deliver the next one to the endpoint of a delivery that was taken; None if none was."""
    taken = WebhookDelivery.objects.filter(pk=done, status=Status.DONE)
    endpoint_id = taken.values_list("endpoint_id", flat=True).first()
    following = admission.admit_next(endpoint_id) if endpoint_id else None
    if following is None:
        return None
    try:
        run_job(WebhookDelivery, following)
    except (JobError, LostClaimError, NotClaimedError) as error:
        logger.info("%s: %s", following, error)
        return None
    return following


def _refuse_now(endpoint: WebhookEndpoint, *, now: Any) -> None:
    """Raise NotNowError if the endpoint was paused, or fell silent, since the delivery may go."""
    if endpoint.status != WebhookEndpoint.Status.ACTIVE:
        raise NotNowError(f"the endpoint is {endpoint.status}")
    if endpoint.resting_until and endpoint.resting_until > now:
        raise NotNowError("the endpoint doesn't answer")
