"""The handler of messages: it delivers a message and logs each attempt."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Any
from uuid import UUID

from django.conf import settings

from notifications.delivery import attempt, breaker
from notifications.delivery import log as attempt_log
from notifications.delivery.attachments import delete_with_files
from notifications.models import Notification
from notifications.webhooks.outbox import Event, tell
from project.jobs.errors import LostClaimError, UnknownOutcomeError
from project.jobs.handler import JobHandler
from project.jobs.queryset import Status


class NotificationHandler(JobHandler[Notification]):
    model = Notification
    pack = 8  # while so many are ready that each thread has some

    def perform(self, job: Notification) -> dict[str, Any]:
        job.began = monotonic()
        return attempt.deliver(job)

    def on_succeeded(self, job: Notification) -> None:
        # Here and not after the send: a failure between the provider's answer and the commit
        # makes a second copy.
        breaker.answered(job.gateway)

    def on_failed(self, job: Notification) -> None:
        """Tell other systems of a message that won't be sent (docs/webhooks.md)."""
        thin = {"id": str(job.pk), "event": job.event, "channel": job.channel}
        if number := job.context.get("number"):
            thin["order"] = number
        order = {"order_id": str(job.order_id)} if job.order_id else {}
        full = {**thin, **order, "recipient": job.recipient, "attempts": job.attempts}
        event = Event("message.failed", full=full, thin=thin, order_id=job.order_id)
        tell(event.kind, lambda: event)

    def release(self, job: Notification) -> None:
        """End the claim of a message whose sending is interrupted: it may have arrived."""
        fields = partial(self.attempt_fields, job)
        try:
            attempt.doubt(job, "the worker was stopped while it sent the message")
        except UnknownOutcomeError as error:
            Notification.objects.leave_unknown(job, str(error), fields)
        except LostClaimError:
            pass  # it ended at the last moment
        else:
            Notification.objects.release(job, fields)

    def doubt(self, job: Notification, reason: str) -> None:
        """Mark a message that a provider took, or may have taken, before the attempt broke."""
        if job.handed_over:
            attempt.doubt(job, reason)

    def status_when_lost(self, job: Notification) -> Status:
        """A gateway is noted before it gets the message, so what has none never left."""
        return Status.UNKNOWN if job.gateway else Status.FAILED

    def attempt_fields(self, job: Notification, ended: str, words: str) -> dict[str, Any]:
        return {
            "attempts_log": attempt_log.logged(job, ended=ended, words=words),
            "provider_id": job.provider_id,
            # A message that ends as unknown may have arrived, whichever step found that out.
            "maybe_duplicate": job.maybe_duplicate or ended == Status.UNKNOWN,
        }

    def kept_for(self) -> timedelta:
        """Return the operator's choice: messages contain names, addresses and purchases."""
        return timedelta(days=settings.KEEP_MESSAGES_DAYS)

    def delete(self, job_ids: Sequence[UUID]) -> None:
        delete_with_files(job_ids)
