"""Phone numbers that are known to belong to a shopper (SMS_FIRST_NEEDS_EMAIL).

Anybody can type anybody's number at the checkout. With the setting on, the SMS of an order to a
number that isn't known wait until the order's page was opened by the link in its e-mail, or a code
that was sent to the number was given. After a day they are cancelled. Codes themselves don't wait.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from notifications.delivery.cancelling import cancel_claimed
from notifications.events import EVENTS
from notifications.models import KnownNumber, Notification
from project.database.clock import database_now
from project.jobs.errors import NotNowError
from project.jobs.queryset import Status

WAIT_AT_MOST = timedelta(days=1)
LOOK_AGAIN = timedelta(hours=1)
"""For a number that a code made known: its waiting messages are sent at the next look."""
KEEP = timedelta(days=400)
"""A number that nobody has shown to be theirs for so long is unknown again."""
REASON = "the number isn't known yet: the order's e-mail was not opened"


def refuse_unknown(notification: Notification) -> None:
    """Raise NotNowError if the SMS must wait, or LostClaimError after cancelling it."""
    if not settings.SMS_FIRST_NEEDS_EMAIL or notification.channel != Notification.Channel.SMS:
        return
    if EVENTS[notification.event].secrets or is_known(notification.recipient):
        return
    row = Notification.objects.filter(pk=notification.pk)
    if row.filter(created_at__lt=Now() - WAIT_AT_MOST).exists():
        cancel_claimed(notification, f"{REASON} within a day")
    raise NotNowError(REASON, until=database_now() + LOOK_AGAIN)


def is_known(phone: str) -> bool:
    return KnownNumber.objects.filter(phone=phone).exists()


def know(phone: str, *, order_id: UUID | None = None) -> None:
    """Record that the number is a shopper's; the order's waiting SMS are sent at once."""
    KnownNumber.objects.update_or_create(phone=phone, defaults={"known_at": Now()})
    if order_id is not None:
        waiting = Notification.objects.filter(
            order_id=order_id, channel=Notification.Channel.SMS, status=Status.QUEUED, error=REASON
        )
        waiting.update(run_after=Now(), ring_after=Now())


def forgettable() -> QuerySet[KnownNumber]:
    """Return the numbers to delete: they are kept no longer than they are of use."""
    return KnownNumber.objects.filter(known_at__lt=Now() - KEEP)
