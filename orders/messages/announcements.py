"""Sending an announcement: an operator plans it, the relay starts it, a desk job queues it.

The desk job writes a notification for each subscribed user, in batches. A batch and the mark of
the last user (`reached`) are one transaction under the announcement's lock. So the next worker
continues after a crash without a gap or a repeat, and no batch follows a stop.
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
from orders.desk_jobs.progress import store_progress
from orders.desk_jobs.queue import queue_desk_job
from orders.models import Announcement, DeskJob, User
from project.jobs.queryset import OPEN, Status

BATCH_SIZE = 200
"""The messages of one transaction."""

State = Announcement.Status


def audience() -> QuerySet[User]:
    """Return the subscribed users who confirmed an e-mail address, with it as `address`."""
    confirmed = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True, primary=True)
    readers = User.objects.filter(is_active=True, wants_announcements=True)
    return readers.filter(Exists(confirmed)).annotate(
        address=Subquery(confirmed.values("email")[:1])
    )


def messages(announcement: Announcement) -> NotificationQuerySet:
    """Return the announcement's messages in every status."""
    return Notification.objects.filter(
        order_id=None, event="announcement", occasion=str(announcement.pk)
    )


def counts(announcement: Announcement) -> dict[str, int]:
    """Return the number of its messages by status."""
    found = messages(announcement).order_by().values_list("status").annotate(Count("pk"))
    return dict(found)


# ── The operator's decisions ──────────────────────────────────────────────────────────────────
def plan(announcement_id: int, *, at: datetime | None, user_id: int | None) -> bool:
    """Schedule the draft for that time (None: now); False if it isn't a draft any more."""
    draft = Announcement.objects.filter(pk=announcement_id, status=State.DRAFT)
    return bool(draft.update(status=State.SCHEDULED, send_at=at or Now(), user_id=user_id))


def withdraw(announcement_id: int) -> bool:
    """Turn it back into a draft; False if its sending has begun."""
    waiting = Announcement.objects.filter(pk=announcement_id, status=State.SCHEDULED)
    return bool(waiting.update(status=State.DRAFT, send_at=None))


def stop(announcement_id: int) -> int | None:
    """Stop the sending; return the number of cancelled messages, None if it isn't being sent.

    Messages that a worker is sending at this moment still arrive.
    """
    with transaction.atomic():
        # This UPDATE waits for the current batch's transaction; the next batch sees it.
        sending = Announcement.objects.filter(pk=announcement_id, status=State.SENDING)
        if not sending.update(status=State.STOPPED, finished_at=Now()):
            return None
    DeskJob.objects.filter(pk=_job_id(announcement_id)).cancel()
    return messages(Announcement(pk=announcement_id)).filter(status=Status.QUEUED).cancel()


# ── Relay and worker ──────────────────────────────────────────────────────────────────────────
def send_announcements() -> int | None:
    """Start due announcements and finish complete ones; return their number, None if none."""
    begun = 0
    due = Announcement.objects.filter(status=State.SCHEDULED, send_at__lte=Now())
    for announcement in due:
        with transaction.atomic():
            if due.filter(pk=announcement.pk).update(status=State.SENDING):
                _queue_fan_out(announcement)
                begun += 1
    queued = Announcement.objects.filter(status=State.SENDING, queued_at__isnull=False)
    for announcement in queued:
        if not messages(announcement).filter(status__in=OPEN).exists():
            begun += queued.filter(pk=announcement.pk).update(status=State.SENT, finished_at=Now())
    return begun or None


def fan_out(job: DeskJob) -> dict[str, Any]:
    """Queue a message for each user after `reached`, where the last attempt ended."""
    announcement_id = int(job.context["announcement"])
    expected = max(1, audience().count())
    while (announcement := queue_batch(announcement_id)).status == State.SENDING:
        if announcement.queued_at:
            break
        store_progress(job, min(99, 100 * announcement.recipients // expected))
    return {"recipients": announcement.recipients, "stopped": announcement.status == State.STOPPED}


def _queue_fan_out(announcement: Announcement) -> None:
    queue_desk_job(
        ANNOUNCE,
        user_id=announcement.user_id,
        context={"announcement": announcement.pk, "name": announcement.subject_en},
        job_id=_job_id(announcement.pk),
    )


def queue_batch(announcement_id: int) -> Announcement:
    """Queue the next batch, unless the announcement was stopped; return its current row."""
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
    """Return the id of the announcement's desk job: the same one for every start."""
    return uuid5(NAMESPACE_URL, f"tandem:announcement:{announcement_id}")
