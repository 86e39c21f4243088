"""What is done with a model's jobs: the work apart from the data.

A model of jobs keeps data. What its app does with a job is a `JobHandler`, which the app's
`tasks.py` registers in one line (`project.jobs.task`). Runner, relay and prune find it here.
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
"""How long finished jobs are kept, unless their handler says otherwise."""

JobType = TypeVar("JobType", bound=Job)


class JobHandler(Generic[JobType]):
    """The work of one model's jobs. Subclasses set `model` and define `perform`."""

    model: ClassVar[type[Job]]
    options: ClassVar[Mapping[str, Any]] = {}
    """Options of its Celery task, such as time limits in seconds."""

    def perform(self, job: JobType) -> dict[str, Any]:
        """Do the work, outside any transaction, and return a small JSON result.

        Raises TransientError, PermanentError, NotNowError or UnknownOutcomeError; anything else
        is taken as transient, so a bug that is mended within the retries loses nothing.
        """
        raise NotImplementedError

    def on_succeeded(self, job: JobType) -> None:
        """Write what makes the result visible, in the transaction that settles the job as done.

        Called only while this claim still counts; a late worker never gets here.
        """

    def release(self, job: JobType) -> None:
        """Let another process do the work: this one stops before it is done."""
        self.model.objects.release(job)

    def attempt_fields(self, job: JobType, ended: str, words: str) -> dict[str, Any]:
        """Return what else the row keeps of this attempt, written with its end.

        `ended` is the status that it leads to, or "again", "parked" or "released"; `words` is
        the error, or the `answer` of a result. Called once for each try to write it.
        """
        return {}

    def claim_guard(self, job_id: UUID) -> AbstractContextManager[bool]:
        """Tell whether the job may be claimed within the block, ready as it is."""
        return nullcontext(True)

    def before_dispatch(self) -> None:
        """Put off what should not be dispatched for now, though it is ready."""

    def after_attempt(self, job_id: UUID) -> None:
        """Tidy up in the worker, however the attempt ended, and if there was none."""

    def kept_for(self) -> timedelta:
        """Return how long jobs are kept after they have finished."""
        return KEEP_JOBS

    def prunable(self) -> QuerySet[Any]:
        """Return the jobs that may be deleted once they are old: no person must look at them."""
        return self.model.objects.filter(status__in=(Status.DONE, Status.CANCELLED))

    def delete(self, job_ids: Sequence[UUID]) -> None:
        """Delete the jobs with everything that they made."""
        self.model.objects.filter(pk__in=job_ids).delete()


_handlers: dict[type[Job], JobHandler[Any]] = {}


def register(handler: JobHandler[Any]) -> None:
    """Make the handler the one of its model."""
    _handlers[handler.model] = handler


def handler_of(model: type[JobType]) -> JobHandler[JobType]:
    """Return the model's handler. Raises KeyError if no app registers one."""
    if model not in _handlers:
        autodiscover_modules("tasks")
    return cast("JobHandler[JobType]", _handlers[model])
