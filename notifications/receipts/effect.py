"""The effect of a report: one UPDATE that only goes forwards.

delivered < bounced < complained. A repeated report changes nothing, and a late "delivered"
doesn't overwrite "bounced".
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from notifications.models import Notification
from notifications.receipts.report import Report
from notifications.rendering import one_line

Listener = Callable[[Notification], object]
_on_complaint: list[Listener] = []

MAX_REASON = Notification._meta.get_field("delivery_reason").max_length
RANK = ["", *Notification.Delivery.values]


def apply(report: Report, *, channel: str, gateway: str = "") -> bool | None:
    """Store the report: True if it changed the message, None if the message isn't known.

    It isn't known, either, if several gateways have a message with that id and none is named.
    """
    messages: QuerySet[Any] = Notification.objects.filter(channel=channel)
    if gateway:
        messages = messages.filter(gateway=gateway)
    if report.message_id is not None:
        messages = messages.filter(pk=report.message_id)
    else:
        # The condition of the partial index.
        messages = messages.filter(provider_id=report.provider_id).exclude(provider_id="")
    found = list(messages.values_list("pk", flat=True)[:2])
    if len(found) != 1:
        return None
    message: QuerySet[Any] = Notification.objects.filter(pk=found[0])
    with transaction.atomic():
        is_news = bool(report.delivery and _keep(report, message))
        if is_news and report.delivery == Notification.Delivery.COMPLAINED:
            for listener in _on_complaint:
                listener(message.get())
    return is_news


def on_complaint(listener: Listener) -> None:
    """Have this called with each message that somebody complained about, once, in the
    transaction that keeps the complaint; call it in the app's `ready`.
    """
    _on_complaint.append(listener)


def _keep(report: Report, message: QuerySet[Any]) -> int:
    assert report.delivery is not None
    earlier = RANK[: RANK.index(report.delivery)]
    return message.filter(delivery__in=earlier).update(
        delivery=report.delivery,
        delivery_at=Now(),
        delivery_reason=one_line(report.reason)[:MAX_REASON],
    )
