"""Sending an announcement: planned by a person, begun by the relay, queued by a desk job.

The desk job writes a notification for each reader, in batches: messages and the mark how far it
came are one transaction under the announcement's lock. So a worker that dies in between leaves
nothing half done, the next one goes on where it was, and a stop lets no further batch through.
"""

from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Now
from django.urls import reverse

from notifications.models import Notification, NotificationQuerySet
from notifications.outbox import announcement_message
from orders.accounts.unsubscribe import unsubscribe_url
from orders.desk_jobs.kinds import ANNOUNCE
from orders.desk_jobs.progress import check_in
from orders.desk_jobs.queue import queue_desk_job
from orders.models import Announcement, DeskJob, User
from project.jobs.queryset import OPEN, Status

BATCH_SIZE = 200
"""Messages of one transaction."""

State = Announcement.Status


def audience() -> QuerySet[User]:
    """Return everyone who asked for announcements and confirmed an address, their `address`."""
    confirmed = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True, primary=True)
    readers = User.objects.filter(is_active=True, wants_announcements=True)
    return readers.filter(Exists(confirmed)).annotate(
        address=Subquery(confirmed.values("email")[:1])
    )


def messages(announcement: Announcement) -> NotificationQuerySet:
    """The announcement's messages, whatever became of them."""
    return Notification.objects.filter(
        order_id=None, event="announcement", occasion=str(announcement.pk)
    )


def counts(announcement: Announcement) -> dict[str, int]:
    """Return how many of its messages are in each status."""
    found = messages(announcement).order_by().values_list("status").annotate(Count("pk"))
    return dict(found)


# ── What a person decides ───────────────────────────────────────────────────────────────────
def plan(announcement_id: int, *, at: datetime | None, user_id: int | None) -> bool:
    """Have the draft sent at that time (None: now); False if it isn't a draft any more."""
    draft = Announcement.objects.filter(pk=announcement_id, status=State.DRAFT)
    return bool(draft.update(status=State.SCHEDULED, send_at=at or Now(), user_id=user_id))


def withdraw(announcement_id: int) -> bool:
    """Make a draft of it again; False if its sending has begun."""
    waiting = Announcement.objects.filter(pk=announcement_id, status=State.SCHEDULED)
    return bool(waiting.update(status=State.DRAFT, send_at=None))


def stop(announcement_id: int) -> int | None:
    """End the sending; return how many messages are cancelled, None if there is nothing to stop.

    What is being sent at this moment arrives.
    """
    with transaction.atomic():
        # Waits for the batch that is being written, and is seen by the next one.
        going_on = Announcement.objects.filter(pk=announcement_id, status=State.SENDING)
        if not going_on.update(status=State.STOPPED, finished_at=Now()):
            return None
    DeskJob.objects.filter(pk=_job_id(announcement_id)).cancel()
    return messages(Announcement(pk=announcement_id)).filter(status=Status.QUEUED).cancel()


# ── What the relay and a worker do ──────────────────────────────────────────────────────────
def send_announcements() -> int | None:
    """Begin what is due and close what is through; return how many, None if none."""
    begun = 0
    due = Announcement.objects.filter(status=State.SCHEDULED, send_at__lte=Now())
    for announcement in due:
        with transaction.atomic():
            if due.filter(pk=announcement.pk).update(status=State.SENDING):
                _queue_fan_out(announcement)
                begun += 1
    through = Announcement.objects.filter(status=State.SENDING, queued_at__isnull=False)
    for announcement in through:
        if not messages(announcement).filter(status__in=OPEN).exists():
            begun += through.filter(pk=announcement.pk).update(status=State.SENT, finished_at=Now())
    return begun or None


def fan_out(job: DeskJob) -> dict[str, Any]:
    """Queue a message for each reader who has none yet. Goes on where the last attempt ended."""
    announcement_id = int(job.context["announcement"])
    expected = max(1, audience().count())
    while (announcement := queue_batch(announcement_id)).status == State.SENDING:
        if announcement.queued_at:
            break
        check_in(job, min(99, 100 * announcement.recipients // expected))
    return {"recipients": announcement.recipients, "stopped": announcement.status == State.STOPPED}


def _queue_fan_out(announcement: Announcement) -> None:
    queue_desk_job(
        ANNOUNCE,
        user_id=announcement.user_id,
        context={"announcement": announcement.pk, "name": announcement.subject_en},
        job_id=_job_id(announcement.pk),
    )


def queue_batch(announcement_id: int) -> Announcement:
    """Queue the next messages, if any and if it still is to be sent; return how it stands."""
    with transaction.atomic():
        announcement = Announcement.objects.select_for_update().get(pk=announcement_id)
        if announcement.status != State.SENDING or announcement.queued_at:
            return announcement
        readers = list(audience().filter(pk__gt=announcement.reached).order_by("pk")[:BATCH_SIZE])
        Notification.objects.bulk_create(
            [message_for(announcement, reader) for reader in readers], ignore_conflicts=True
        )
        announcement.recipients += len(readers)
        values: dict[str, Any] = {"recipients": F("recipients") + len(readers)}
        values |= {"reached": readers[-1].pk} if readers else {"queued_at": Now()}
        Announcement.objects.filter(pk=announcement_id).update(**values)
        announcement.refresh_from_db()
        return announcement


def message_for(announcement: Announcement, reader: Any) -> Notification:
    """Return the announcement's message for this reader (of `audience`), under its own id."""
    language = reader.language or settings.LANGUAGE_CODE
    subject, text = announcement.words(language)
    return announcement_message(
        announcement_id=announcement.pk,
        reader_id=reader.pk,
        email=reader.address,
        name=reader.name,
        language=language,
        subject=subject,
        text=text,
        unsubscribe_url=unsubscribe_url(user_id=reader.pk, event="announcement"),
        preferences_url=f"{settings.SITE_URL}{reverse('account-settings')}",
    )


def _job_id(announcement_id: int) -> UUID:
    """One desk job an announcement, however often its sending is begun."""
    return uuid5(NAMESPACE_URL, f"tandem:announcement:{announcement_id}")
