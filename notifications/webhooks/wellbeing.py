"""Whether an endpoint answers, and what follows: it rests, it is tried, it is well again.

One that answers, but refuses, is tried as before: it is shown to the staff.

The state is on its row, because several workers send to it.
"""

import logging
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from notifications.models import Notification, WebhookDelivery, WebhookEndpoint
from notifications.models.webhook_pauses import rest_after
from notifications.outbox import staff_messages
from notifications.staff import readers
from notifications.webhooks.sending import AWAY
from project.jobs.queryset import Status
from project.text import clean

logger = logging.getLogger(__name__)

State = WebhookEndpoint.Status
TROUBLES = {
    "silent": Q(status=State.ACTIVE, failures__gt=0),
    "refusing": Q(status=State.ACTIVE, failures=0, refusals__gt=0),
    "gone": Q(status=State.OFF, gone_at__isnull=False),
}
"""The conditions of endpoints that somebody should look at: each has one at a time, or none."""
WELL = {"refusals": 0, "refusing_since": None, "refusal": ""}
"""The fields of an endpoint whose last answer was a yes."""
SWITCHED_OFF = "webhook_switched_off"
"""The event of the staff's message."""


def note_silence(
    endpoint: WebhookEndpoint, *, reason: str, retry_after: timedelta | None = None
) -> None:
    """Let an endpoint rest that didn't answer; a longer silence makes longer rests."""
    _on(endpoint).update(
        failures=F("failures") + 1,
        failing_since=Coalesce(F("failing_since"), Now()),
        resting_until=Now() + rest_after(endpoint.failures + 1, at_least=retry_after),
        error=clean(reason, longest=500),
    )


def note_answer(endpoint: WebhookEndpoint) -> None:
    """End the silence, if there was one: what it kept waiting is tried again at once.

    Whether the answer was a yes is for `note_taken` and `note_refusal`.
    """
    if not endpoint.failures:
        return
    with transaction.atomic():
        won = WebhookEndpoint.objects.filter(pk=endpoint.pk, failures__gt=0).update(
            failures=0, failing_since=None, resting_until=None, error=""
        )
        if won:
            unheard = Q(answer_status=None) | Q(answer_status__in=AWAY)
            WebhookDelivery.objects.filter(
                unheard, endpoint=endpoint, status=Status.QUEUED, run_after__gt=Now()
            ).update(run_after=Now())
            logger.info("webhook endpoint %s answers again", endpoint.pk)


def note_taken(endpoint: WebhookEndpoint) -> None:
    """Note that it took a delivery: it doesn't refuse any more."""
    # The row decides, not what this process read: another one may have noted a refusal since.
    WebhookEndpoint.objects.filter(pk=endpoint.pk, refusals__gt=0).update(**WELL)


def note_refusal(endpoint: WebhookEndpoint, *, reason: str) -> None:
    """Note that it answered, and didn't take the delivery."""
    _on(endpoint).update(
        refusals=F("refusals") + 1,
        refusing_since=Coalesce(F("refusing_since"), Now()),
        refusal=clean(reason, longest=500),
    )


def try_now(endpoint_ids: list[int]) -> int:
    """Let resting endpoints be tried at once; return how many rested."""
    return WebhookEndpoint.objects.filter(pk__in=endpoint_ids, resting_until__gt=Now()).update(
        resting_until=Now()
    )


def switch_off(endpoint: WebhookEndpoint, *, reason: str) -> bool:
    """Switch an endpoint off that is gone, cancel what waits for it, and tell the staff.

    False if somebody has switched it off already.
    """
    with transaction.atomic():
        won = (
            WebhookEndpoint.objects.filter(pk=endpoint.pk)
            .exclude(status=WebhookEndpoint.Status.OFF)
            .update(
                status=WebhookEndpoint.Status.OFF,
                status_reason=clean(reason, longest=200),
                failures=0,
                failing_since=None,
                resting_until=None,
                gone_at=Now(),
                **WELL,
            )
        )
        if won:
            cancel_waiting(endpoint.pk, reason=reason)
            context = switched_off_context(endpoint, reason=reason)
            Notification.objects.bulk_create(
                staff_messages(event=SWITCHED_OFF, readers=readers(), context=context)
            )
    return bool(won)


def switched_off_context(endpoint: WebhookEndpoint, *, reason: str) -> dict[str, str]:
    """Return the context of the message to the staff about an endpoint that is gone."""
    return {"name": endpoint.name, "endpoint_url": endpoint.url, "reason": reason}


def cancel_waiting(endpoint_id: int, *, reason: str) -> int:
    """Cancel the deliveries that wait for an endpoint; they can be replayed. Return how many."""
    waiting = WebhookDelivery.objects.filter(endpoint=endpoint_id, status=Status.QUEUED)
    waiting.update(error=clean(reason))
    return waiting.cancel()


def cancel_returned(delivery_id: UUID) -> int:
    """Cancel a delivery that waits again, for an endpoint that was switched off meanwhile."""
    waits = WebhookDelivery.objects.filter(pk=delivery_id, status=Status.QUEUED)
    return waits.to_endpoints_off().cancel()


def _on(endpoint: WebhookEndpoint) -> QuerySet[WebhookEndpoint]:
    """Return the endpoint, unless it was switched off while it was tried."""
    return WebhookEndpoint.objects.filter(pk=endpoint.pk).exclude(status=State.OFF)
