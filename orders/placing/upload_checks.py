"""Whether a shopper's file can be used: decoded once by the media worker, before its order.

The check is a job, and its row is the answer. While the worker or the broker is away it stays
open: such a file can't be ordered with, and the shopper is told to try again, because nobody
knows yet whether it can be printed. All other orders go on.
"""

import threading
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.db import OperationalError, connection
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from media_jobs.models import MediaJob
from media_jobs.outbox import check_job, check_jobs
from orders.models import Upload
from project.database.clock import database_now
from project.jobs.queryset import OPEN, Status

LATE = timedelta(seconds=60)
"""A check that takes longer is called late: the worker is away, or has much to do."""
WAIT_SECONDS = 2.0
"""How long an order waits for the checks of its uploads: a photo's takes less than one."""
POLL_SECONDS = 0.1
MAX_WAITING = 8
"""Orders of a process that wait at once; more are answered at once, so pages keep their threads."""

_waiting = threading.BoundedSemaphore(MAX_WAITING)


class CheckState(StrEnum):
    CHECKING = "checking"
    LATE = "late"
    """Still open, for longer than anybody should wait."""
    USABLE = "usable"
    REFUSED = "refused"


@dataclass(frozen=True)
class Check:
    """What is known of an upload."""

    state: CheckState
    percent: int = 0
    reason: str = ""
    """Why it was refused: a sentence for the shopper."""

    @property
    def is_open(self) -> bool:
        return self.state in (CheckState.CHECKING, CheckState.LATE)


def queue_check(upload: Upload) -> MediaJob:
    """Queue the upload's check in the caller's transaction; return its job, new or as it is."""
    wanted = check_job(
        token=upload.token,
        file=str(upload.file.name),
        is_video=upload.is_video,
        name=upload.name,
        language=get_language() or "",
    )
    job, _created = MediaJob.objects.get_or_create(
        source=wanted.source,
        recipe=wanted.recipe,
        defaults={
            "kind": wanted.kind,
            "context": wanted.context,
            "ring_after": wanted.ring_after,
        },
    )
    return job


def checks_of(uploads: Iterable[Upload]) -> dict[UUID, Check]:
    """Return what is known of each upload, by token; asks nothing if there are none.

    An upload from before there were checks gets one now.
    """
    wanted = {upload.token: upload for upload in uploads}
    if not wanted:
        return {}
    jobs = check_jobs(wanted)
    for token in wanted.keys() - jobs.keys():
        jobs[token] = queue_check(wanted[token])
    now = database_now() if any(job.status in OPEN for job in jobs.values()) else None
    return {token: _check(job, now) for token, job in jobs.items()}


def check_error(check: Check) -> str:
    """Return why nothing can be ordered with an upload, or nothing."""
    match check.state:
        case CheckState.CHECKING:
            return _("The file is still being checked. Try again in a moment.")
        case CheckState.LATE:
            return _("The file could not be checked yet. Try again in a few minutes.")
        case CheckState.REFUSED:
            return check.reason
        case _usable:
            return ""


def wait_for_checks(tokens: Collection[str]) -> None:
    """Wait a moment until no check of these uploads is open; asks nothing if there are none.

    Holds no connection while it waits. What is still open then is refused by `upload_errors`.
    """
    if not tokens or not _waiting.acquire(blocking=False):
        return
    try:
        wanted = [UUID(token) for token in tokens]
        deadline = time.monotonic() + WAIT_SECONDS
        while any(job.status in OPEN for job in check_jobs(wanted).values()):
            if time.monotonic() > deadline:
                return
            connection.close()
            time.sleep(POLL_SECONDS)
    except OperationalError:
        return  # whoever asks next says so
    finally:
        _waiting.release()


def _check(job: MediaJob, now: datetime | None) -> Check:
    if job.status in OPEN:
        is_late = now is not None and now - job.created_at > LATE
        return Check(CheckState.LATE if is_late else CheckState.CHECKING, job.progress)
    if job.status == Status.DONE:
        reason = (job.result or {}).get("refusal", "")
        return Check(CheckState.REFUSED if reason else CheckState.USABLE, 100, reason)
    # It took its worker along three times, or the storage was away for hours.
    return Check(
        CheckState.REFUSED, 100, _("The file could not be opened here. Choose another one.")
    )
