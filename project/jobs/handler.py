"""Job handlers: the work of a model's jobs, apart from their data.

A model of jobs keeps data. The app's `JobHandler` does the work; the app's `tasks.py` registers
it in one line (`project.jobs.task`). Runner, relay and prune find it here.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any, ClassVar, Generic, TypeVar, cast
from uuid import UUID

from django.db.models import QuerySet
from django.utils.module_loading import autodiscover_modules

from project.jobs.model import Job
from project.jobs.queryset import Status

KEEP_JOBS = timedelta(days=90)
"""The time for which finished jobs are kept, unless their handler has its own."""

JobType = TypeVar("JobType", bound=Job)


class JobHandler(Generic[JobType]):
    """The work of one model's jobs. Subclasses set `model` and define `perform`."""

    model: ClassVar[type[Job]]
    options: ClassVar[Mapping[str, Any]] = {}
    """Options of its Celery task, such as time limits in seconds."""
    pack: ClassVar[int] = 1
    """The number of jobs that one message may name, when many are ready. A worker's thread does
    them one after the other, so it is for short work; time limits are those of a message."""

    def perform(self, job: JobType) -> dict[str, Any]:
        """Do the work, outside any transaction, and return a small JSON result.

        Raises TransientError, PermanentError, NotNowError, NotWantedError or
        UnknownOutcomeError; anything else is taken as transient, so a bug that is fixed within
        the retries loses nothing.
        """
        raise NotImplementedError

    def on_succeeded(self, job: JobType) -> None:
        """Write the rows that make the result visible, in the transaction that finishes the job.

        Called only under a valid claim: a late worker never gets here.
        """

    def writes_its_success(self) -> bool:
        """Tell whether `on_succeeded` writes anything; if not, the job's end is one statement."""
        return type(self).on_succeeded is not JobHandler.on_succeeded

    def on_failed(self, job: JobType) -> None:
        """Write the rows that tell of a job that failed for good, in the transaction of that."""

    def writes_its_failure(self) -> bool:
        """Tell whether `on_failed` writes anything; if not, the job's end is one statement."""
        return type(self).on_failed is not JobHandler.on_failed

    def release(self, job: JobType) -> None:
        """Release the claim: this process stops before the work is done."""
        self.model.objects.release(job)

    def doubt(self, job: JobType, reason: str) -> None:
        """Note that an attempt ended by an unforeseen error, perhaps after the work was done.

        Called after `perform`, or the writing of its outcome, raised an undeclared error.
        Raises UnknownOutcomeError if the work may be done and must not be done twice, or
        LostClaimError.
        """

    def status_when_lost(self, job: JobType) -> Status:
        """Return the final status of a job that lost too many workers.

        FAILED, or UNKNOWN where one of them may have done the work.
        """
        return Status.FAILED

    def attempt_fields(self, job: JobType, ended: str, words: str) -> dict[str, Any]:
        """Return further fields about this attempt, written with its end.

        `ended` is the job's next status, or "again", "parked" or "released"; `words` is the error,
        or the `answer` of a result. Called for each try to write the row.
        """
        return {}

    def claim_guard(self, job_id: UUID) -> AbstractContextManager[bool]:
        """Yield whether a ready job may be claimed within the block."""
        return nullcontext(True)

    def window(self) -> int:
        """Return the number of messages that may wait in the queue now."""
        return self.model.window

    def before_dispatch(self) -> None:
        """Delay ready jobs that should not be dispatched now."""

    def after_attempt(self, job_id: UUID) -> None:
        """Clean up, or go on, after each attempt, even if the job could not be claimed."""

    def kept_for(self) -> timedelta:
        """Return the time for which finished jobs are kept."""
        return KEEP_JOBS

    def prunable(self) -> QuerySet[Any]:
        """Return the jobs that may be deleted once they are old: no operator needs to see them."""
        return self.model.objects.filter(status__in=(Status.DONE, Status.CANCELLED))

    def delete(self, job_ids: Sequence[UUID]) -> None:
        """Delete the jobs and their results."""
        self.model.objects.filter(pk__in=job_ids).delete()


_handlers: dict[type[Job], JobHandler[Any]] = {}


def register(handler: JobHandler[Any]) -> None:
    """Register the handler for its model."""
    _handlers[handler.model] = handler


def handler_of(model: type[JobType]) -> JobHandler[JobType]:
    """Return the model's handler. Raises KeyError if no app registers one."""
    if model not in _handlers:
        autodiscover_modules("tasks")
    return cast("JobHandler[JobType]", _handlers[model])
