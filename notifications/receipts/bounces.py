"""The e-mail addresses that don't take our messages, by their providers' receipts.

A bounce no longer counts once a later message was delivered there; a complaint always counts.
"""

from typing import Any

from django.db.models import (
    BooleanField,
    Exists,
    ExpressionWrapper,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Lower
from django.db.models.lookups import In, IsNull

from notifications.models import Notification

Delivery = Notification.Delivery


def _troubled() -> QuerySet[Any]:
    emails: QuerySet[Any] = Notification.objects.filter(channel="email").annotate(
        small=Lower("recipient")
    )
    delivered_later = emails.filter(
        small=OuterRef("small"),
        delivery=Delivery.DELIVERED,
        delivery_at__gt=OuterRef("delivery_at"),
    )
    return emails.filter(
        Q(delivery=Delivery.COMPLAINED) | Q(delivery=Delivery.BOUNCED) & ~Exists(delivered_later),
        # Redundant, but it is the condition of the partial index.
        delivery__in=(Delivery.BOUNCED, Delivery.COMPLAINED),
    ).order_by("-delivery_at")


def troubled_addresses() -> QuerySet[Any]:
    """Return the addresses, in small letters, as a subquery."""
    return _troubled().order_by().values_list("small", flat=True)


def returned_addresses() -> QuerySet[Any]:
    """Return the addresses that something ever came back from, in small letters, as a subquery.

    The index `notification_came_back` holds them: no message is read.
    """
    returned = Notification.objects.filter(delivery__in=(Delivery.BOUNCED, Delivery.COMPLAINED))
    return returned.order_by().annotate(small=Lower("recipient")).values_list("small", flat=True)


def has_trouble(address: Any) -> "ExpressionWrapper[Any]":
    """Return the condition that this address of an outer query, in small letters, has trouble.

    The last report decides, and of two at the same time the bounce; but a complaint always counts.
    These are two looks into indexes. No EXISTS, for which PostgreSQL may read all addresses.
    """
    of_address = Notification.objects.filter(channel="email").annotate(small=Lower("recipient"))
    reports = of_address.filter(~Q(delivery=""), small=address)
    last = Subquery(reports.order_by("-delivery_at", "delivery").values("delivery")[:1])
    complaints = of_address.filter(small=address, delivery=Delivery.COMPLAINED).order_by()
    # Redundant, but it is the condition of the partial index.
    complaints = complaints.filter(delivery__in=(Delivery.BOUNCED, Delivery.COMPLAINED))
    came_back = In(last, [Delivery.BOUNCED.value, Delivery.COMPLAINED.value])
    complained = IsNull(Subquery(complaints.values("pk")[:1]), False)
    return ExpressionWrapper(Q(came_back) | Q(complained), output_field=BooleanField())


def trouble_with(address: str) -> Notification | None:
    """Return the latest message that came back from this address, if it still counts."""
    found: Notification | None = _troubled().filter(small=address.lower()).first()
    return found
