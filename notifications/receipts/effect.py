"""What a report changes: one UPDATE that only goes forwards.

delivered < bounced < complained. The same report twice changes nothing the second time, and a
late "delivered" doesn't hide that the message came back.
"""

from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Now

from notifications.models import Notification
from notifications.receipts.report import Report
from notifications.rendering import one_line

MAX_REASON = Notification._meta.get_field("delivery_reason").max_length
RANK = ["", *Notification.Delivery.values]


def apply(report: Report, *, channel: str, gateway: str = "") -> bool | None:
    """Keep what the report says: True if that is news, None if the message isn't known.

    It isn't known, either, if several gateways have one of that id and none is named.
    """
    messages: QuerySet[Any] = Notification.objects.filter(channel=channel)
    if gateway:
        messages = messages.filter(gateway=gateway)
    if report.message_id is not None:
        messages = messages.filter(pk=report.message_id)
    else:
        # As the partial index has it.
        messages = messages.filter(provider_id=report.provider_id).exclude(provider_id="")
    found = list(messages.values_list("pk", flat=True)[:2])
    if len(found) != 1:
        return None
    return bool(report.delivery and _keep(report, Notification.objects.filter(pk=found[0])))


def _keep(report: Report, message: QuerySet[Any]) -> int:
    assert report.delivery is not None
    earlier = RANK[: RANK.index(report.delivery)]
    return message.filter(delivery__in=earlier).update(
        delivery=report.delivery,
        delivery_at=Now(),
        delivery_reason=one_line(report.reason)[:MAX_REASON],
    )
