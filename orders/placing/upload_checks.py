"""The checks of shoppers' uploads: the media worker decodes each file before it can be ordered.

A check is a media job, and its row is the answer. While the worker or the broker is away the check
stays open: an order with that file is refused and may be repeated later, because it is unknown
whether the file can be printed. Other orders are not affected.
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
"""A check that is open for longer is late: the worker is away or busy."""
WAIT_SECONDS = 2.0
"""How long an order waits for the checks of its uploads: a photo's takes less than one."""
POLL_SECONDS = 0.1
MAX_WAITING = 8
"""Orders of a process that may wait together; further orders don't wait, so pages keep threads."""

waiting_orders = threading.BoundedSemaphore(MAX_WAITING)


class CheckState(StrEnum):
    CHECKING = "checking"
    LATE = "late"
    """Open for longer than `LATE`."""
    USABLE = "usable"
    REFUSED = "refused"


@dataclass(frozen=True)
class Check:
    """The state of an upload's check."""

    state: CheckState
    percent: int = 0
    reason: str = ""
    """Why the file was refused: a sentence for the shopper."""

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
    """Return each upload's check, by token. Makes no query without uploads.

    An upload without a check, from an older version, gets one now.
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
    """Return why an order can't have the upload; empty if it can."""
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
    """Wait up to `WAIT_SECONDS` until no check of these uploads is open, without a connection.

    Makes no query without uploads. `upload_errors` refuses uploads whose check is still open.
    """
    if not tokens or not waiting_orders.acquire(blocking=False):
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
        return  # the next query reports it
    finally:
        waiting_orders.release()


def _check(job: MediaJob, now: datetime | None) -> Check:
    if job.status in OPEN:
        is_late = now is not None and now - job.created_at > LATE
        return Check(CheckState.LATE if is_late else CheckState.CHECKING, job.progress)
    if job.status == Status.DONE:
        reason = (job.result or {}).get("refusal", "")
        return Check(CheckState.REFUSED if reason else CheckState.USABLE, 100, reason)
    # Its worker died three times, or the storage was away for hours.
    return Check(
        CheckState.REFUSED, 100, _("The file could not be opened here. Choose another one.")
    )
