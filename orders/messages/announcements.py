"""Sending an announcement: an operator plans it, the relay starts it, a desk job queues it.

The desk job writes a notification for each subscribed user, in batches. A batch and the mark of
the last user (`reached`) are one transaction under the announcement's lock. So the next worker
continues after a crash without a gap or a repeat, and no batch follows a stop.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Now
from django.urls import reverse

from notifications.models import OFFERS, Notification, NotificationQuerySet
from notifications.outbox import announcement_message
from orders.accounts.unsubscribe import unsubscribe_url
from orders.desk_jobs.kinds import ANNOUNCE, STOP_ANNOUNCEMENT, Kind
from orders.desk_jobs.progress import store_progress
from orders.desk_jobs.queue import queue_desk_job
from orders.models import Announcement, DeskJob, User
from project.jobs.queryset import OPEN, Status
from project.schedule.passes import UnfinishedError

BATCH_SIZE = 200
"""The messages of one transaction."""
STOP_BATCH_SIZE = 1000
"""The messages that one statement cancels, in less than a tenth of a second."""

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
class RewrittenError(Exception):
    """The announcement's texts are not those that the operator was shown."""


def texts_digest(announcement: Announcement) -> str:
    """Return a digest of all its texts: two announcements that say the same have the same one."""
    texts = [getattr(announcement, name) for name in Announcement.TEXTS]
    return sha256(json.dumps(texts).encode()).hexdigest()


def plan(announcement_id: int, *, at: datetime | None, user_id: int | None, shown: str) -> bool:
    """Schedule the draft for that time (None: now); False if it isn't a draft any more.

    `shown` is the digest of the texts that the user agreed to. Raises RewrittenError.
    """
    with transaction.atomic():
        # Who edits a draft locks it, too: none changes between this look and the commit.
        drafts = Announcement.objects.select_for_update(no_key=True).filter(status=State.DRAFT)
        draft = drafts.filter(pk=announcement_id).first()
        if draft is None:
            return False
        if texts_digest(draft) != shown:
            raise RewrittenError
        mine = Announcement.objects.filter(pk=announcement_id)
        mine.update(status=State.SCHEDULED, send_at=at or Now(), user_id=user_id)
    return True


def withdraw(announcement_id: int) -> bool:
    """Turn it back into a draft; False if its sending has begun."""
    waiting = Announcement.objects.filter(pk=announcement_id, status=State.SCHEDULED)
    return bool(waiting.update(status=State.DRAFT, send_at=None))


def stop(announcement_id: int, *, user_id: int | None) -> bool:
    """End the sending; False if there is nothing to stop, or not any more.

    From now on no message leaves: each is asked when it does (`orders.accounts.consent`). A desk
    job cancels those that wait. Asked for again, it begins that job again if any still wait. What
    is being sent at this moment arrives.
    """
    with transaction.atomic():
        # Waits for the batch that is being written, and is seen by the next one.
        going_on = Announcement.objects.filter(pk=announcement_id, status=State.SENDING)
        if going_on.update(status=State.STOPPED, finished_at=Now()):
            DeskJob.objects.filter(pk=_job_id(announcement_id)).cancel()
        elif not may_stop(announcement_id):
            return False
        Announcement.objects.filter(pk=announcement_id, user=None).update(user_id=user_id)
        _queue(STOP_ANNOUNCEMENT, Announcement.objects.get(pk=announcement_id))
    return True


def may_stop(announcement_id: int) -> bool:
    """Whether it is being sent, or was stopped and something still waits without a job for it."""
    announcement = Announcement.objects.filter(pk=announcement_id).first()
    if announcement is None:
        return False
    return announcement.status == State.SENDING or _stalled_kind(announcement) is not None


# ── A job that ended too early ───────────────────────────────────────────────────
@dataclass(frozen=True)
class Stall:
    """An announcement waits for a job that has ended before its work was done."""

    kind: Kind
    reason: str
    """The job's error; empty if somebody cancelled it, or it is gone."""


def stall(announcement: Announcement) -> Stall | None:
    """Return on what the announcement waits in vain; None if nothing keeps it."""
    kind = _stalled_kind(announcement)
    if kind is None:
        return None
    job = DeskJob.objects.filter(pk=_job_id(announcement.pk, kind)).first()
    failed = job is not None and job.status in (Status.FAILED, Status.UNKNOWN)
    return Stall(kind, job.error if job is not None and failed else "")


def go_on(announcement_id: int) -> bool:
    """Begin again the job that ended too early; False if none did. It goes on where it was."""
    announcement = Announcement.objects.filter(pk=announcement_id).first()
    if announcement is None or (kind := _stalled_kind(announcement)) is None:
        return False
    _queue(kind, announcement)
    return True


def stopping(announcement: Announcement) -> int | None:
    """Return how far the stop is in percent; None if it isn't under way."""
    if announcement.status != State.STOPPED:
        return None
    jobs = DeskJob.objects.filter(pk=_job_id(announcement.pk, STOP_ANNOUNCEMENT), status__in=OPEN)
    return jobs.values_list("progress", flat=True).first()


def _stalled_kind(announcement: Announcement) -> Kind | None:
    """Return which job of the announcement should be under way, and isn't."""
    if announcement.status == State.SENDING and announcement.queued_at is None:
        kind = ANNOUNCE
    elif announcement.status == State.STOPPED and still_open(announcement):
        kind = STOP_ANNOUNCEMENT
    else:
        return None
    jobs = DeskJob.objects.filter(pk=_job_id(announcement.pk, kind))
    return None if jobs.filter(status__in=OPEN).exists() else kind


def still_open(announcement: Announcement) -> bool:
    """Whether any message of it waits, or is being sent."""
    mine: QuerySet[Any] = messages(announcement)
    return mine.filter(event__in=OFFERS, status__in=OPEN).order_by().exists()


# ── Relay and worker ──────────────────────────────────────────────────────────────────────────
def send_announcements() -> int | None:
    """Begin what is due and close what is through; return how many, None if none.

    Raises UnfinishedError, once all others are done, for what somebody has locked.
    """
    due = Announcement.objects.filter(status=State.SCHEDULED, send_at__lte=Now())
    through = Announcement.objects.filter(status=State.SENDING, queued_at__isnull=False)
    done, locked = 0, 0
    for pk in due.values_list("pk", flat=True):
        with transaction.atomic():
            if announcement := due.select_for_update(skip_locked=True).filter(pk=pk).first():
                due.filter(pk=pk).update(status=State.SENDING)
                _queue(ANNOUNCE, announcement)
                done += 1
        locked += announcement is None and due.filter(pk=pk).exists()
    for announcement in through:
        if still_open(announcement):
            continue
        with transaction.atomic():
            mine = through.filter(pk=announcement.pk)
            if mine.select_for_update(skip_locked=True).first():
                done += mine.update(status=State.SENT, finished_at=Now())
        locked += mine.exists()
    if locked:
        raise UnfinishedError(f"{locked} announcements wait: locked by another transaction")
    return done or None


def cancel_rest(job: DeskJob) -> dict[str, Any]:
    """Cancel what waits of a stopped announcement, in batches. Again, it cancels what is left.

    By recipient, as the index of messages has them: a batch reads what it cancels, and nothing of
    the others.
    """
    announcement = Announcement.objects.get(pk=int(job.context["announcement"]))
    if announcement.status != State.STOPPED:
        return {"cancelled": 0}
    cancelled = seen = 0
    for batch in _by_recipient(announcement):
        cancelled += batch.filter(status=Status.QUEUED).cancel()
        seen += STOP_BATCH_SIZE
        store_progress(job, min(99, 100 * seen // max(1, announcement.recipients)))
    return {"cancelled": cancelled}


def _by_recipient(announcement: Announcement) -> Iterator[Any]:
    """Give the announcement's messages in parts of some hundreds."""
    channel = Notification.Channel.EMAIL
    # By the order as well, which none of them has: so the index gives them in this order.
    mine: QuerySet[Any] = messages(announcement)
    found = mine.filter(channel=channel).order_by("order_id", "recipient")
    reached = ""
    while True:
        behind = found.filter(recipient__gt=reached)
        edge = behind.values_list("recipient", flat=True)[STOP_BATCH_SIZE - 1 :].first()
        if edge is None:
            yield behind
            return
        yield behind.filter(recipient__lte=edge)
        reached = edge


def fan_out(job: DeskJob) -> dict[str, Any]:
    """Queue a message for each user after `reached`, where the last attempt ended."""
    announcement_id = int(job.context["announcement"])
    expected = max(1, audience().count())
    while (announcement := queue_batch(announcement_id)).status == State.SENDING:
        if announcement.queued_at:
            break
        store_progress(job, min(99, 100 * announcement.recipients // expected))
    return {"recipients": announcement.recipients, "stopped": announcement.status == State.STOPPED}


def _queue(kind: Kind, announcement: Announcement) -> None:
    """Queue the announcement's job of that kind, anew if it has ended."""
    job = queue_desk_job(
        kind,
        user_id=announcement.user_id,
        context={"announcement": announcement.pk, "name": announcement.subject_en},
        job_id=_job_id(announcement.pk, kind),
    )
    DeskJob.objects.filter(pk=job.pk).queue_again()


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


def _job_id(announcement_id: int, kind: Kind = ANNOUNCE) -> UUID:
    """One desk job of each kind an announcement, however often it is begun."""
    suffix = "" if kind is ANNOUNCE else f":{kind.name}"
    return uuid5(NAMESPACE_URL, f"tandem:announcement:{announcement_id}{suffix}")
