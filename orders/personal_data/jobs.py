"""Export and erasure as desk jobs: asked for by the shopper, the desk or a command.

A job keeps the person with its row while it is open. So a worker that dies leaves all that the next
one needs; at its end the erasure's row forgets the person, too.
"""

from typing import Any
from uuid import UUID

from django.db import Error
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from orders.desk_jobs.kinds import ERASE_PERSON, EXPORT_PERSON
from orders.desk_jobs.progress import store_progress, store_report
from orders.desk_jobs.queue import queue_desk_job
from orders.models import DeskJob
from orders.personal_data import exporting
from orders.personal_data.erased import digest_of, remember
from orders.personal_data.erasure import Erasure
from orders.personal_data.person import Person
from orders.personal_data.refusals import refusals
from project.database.errors import is_lock_timeout
from project.jobs.errors import PermanentError, TransientError
from project.jobs.queryset import OPEN, TROUBLED


class NotNowRefusal(Exception):
    """The person can't be erased yet: `reasons` say why, in the reader's language."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


def queue_export(person: Person, *, user_id: int | None, job_id: UUID | None = None) -> DeskJob:
    """Queue the export in the current language; return its job, or the one that goes on."""
    if job_id is None and (going_on := exports_of(person).filter(status__in=OPEN).first()):
        return going_on
    return queue_desk_job(
        EXPORT_PERSON, user_id=user_id, context={"person": person.as_json()}, job_id=job_id
    )


def queue_erasure(person: Person, *, user_id: int | None) -> DeskJob:
    """Queue the erasure; return its job, or the one that goes on or waits for a person.

    Raises NotNowRefusal with the reasons.
    """
    if reasons := refusals(person):
        raise NotNowRefusal(reasons)
    digest = digest_of(person.emails[0])
    waiting = DeskJob.objects.filter(kind=ERASE_PERSON.name, context__digest=digest)
    if begun := waiting.filter(status__in=(*OPEN, *TROUBLED)).first():
        # What a failed one has not done is done now: it knows more of the person than the rest of
        # the database does.
        waiting.filter(pk=begun.pk).retry_failed()
        return begun
    return queue_desk_job(
        ERASE_PERSON, user_id=user_id, context={"person": person.as_json(), "digest": digest}
    )


def exports_of(person: Person) -> QuerySet[Any]:
    """Return the exports of this person, newest first."""
    first = person.emails[0] if person.emails else ""
    return DeskJob.objects.filter(
        kind=EXPORT_PERSON.name, context__person__emails__0=first
    ).order_by("-created_at")


def export(job: DeskJob) -> dict[str, Any]:
    """Write the zip and store it as the job's report. Returns how much of each kind is in it."""
    person = _person_of(job)
    with exporting.written_zip(person, on_step=_on_step(job)) as (file, counts):
        store_report(job, file, name=exporting.FILE_NAME)
    return counts


def erase(job: DeskJob) -> dict[str, Any]:
    """Erase the person of `context`. Raises PermanentError with the reasons against it."""
    if "person" not in job.context:
        return job.result or {}
    person = _person_of(job)
    if reasons := refusals(person):
        raise PermanentError("\n".join(reasons))
    remember(person.emails)  # first: a backup that is made meanwhile knows it
    try:
        counts = Erasure(person, _on_step(job)).run()
    except Error as error:
        if is_lock_timeout(error):
            raise TransientError("somebody has a row of this person locked") from error
        raise
    context = {name: value for name, value in job.context.items() if name != "person"}
    DeskJob.objects.held(job).update(context=context)
    return counts


def _person_of(job: DeskJob) -> Person:
    try:
        return Person.from_json(job.context["person"])
    except KeyError:
        raise PermanentError(_("Nobody knows any more whom this was about.")) from None


def _on_step(job: DeskJob) -> Any:
    def on_step(done: int, total: int) -> None:
        store_progress(job, min(99, 100 * done // total))

    return on_step
