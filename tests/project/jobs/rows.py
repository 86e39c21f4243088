"""Jobs in the database, with Notification as the concrete model."""

from typing import Any
from uuid import uuid4

from django.db.models import F
from django.db.models.functions import Now

from notifications.models import Notification


def queue(**values: Any) -> Notification:
    fields: dict[str, Any] = {
        "order_id": uuid4(),
        "kind": "order_placed.email",
        "event": "order_placed",
        "channel": "email",
        "recipient": "ada@example.org",
        "language": "en",
    }
    return Notification.objects.create(**fields | values)


def claimed(**values: Any) -> Notification:
    job = Notification.objects.claim(queue(**values).pk)
    assert isinstance(job, Notification)
    return job


def change(job: Notification, **values: Any) -> None:
    """Change the row directly, past every queryset method."""
    assert Notification.objects.filter(pk=job.pk).update(**values) == 1


def row(job: Notification) -> Notification:
    return Notification.objects.get(pk=job.pk)


def seconds_until(field: str, job: Notification) -> float:
    """How far the row's time lies ahead, by the database's clock."""
    [wait] = Notification.objects.filter(pk=job.pk).values_list(F(field) - Now(), flat=True)
    return wait.total_seconds()
