"""The handler of desk jobs: runs the kind's function, stores its report, deletes its files."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import translation
from django.utils.module_loading import import_string

from orders.desk_jobs import report_files
from orders.desk_jobs.kinds import KINDS
from orders.models import DeskJob
from project.jobs.errors import PermanentError
from project.jobs.handler import JobHandler


class DeskJobHandler(JobHandler[DeskJob]):
    model = DeskJob

    def perform(self, job: DeskJob) -> dict[str, Any]:
        """Run the function of the job's kind, in the operator's language."""
        kind = KINDS.get(job.kind)
        if kind is None:
            raise PermanentError(f"Tandem doesn't know how to do “{job.kind}”.")
        with translation.override(job.context.get("language")):
            result: dict[str, Any] = import_string(kind.work)(job)
        return result

    def on_succeeded(self, job: DeskJob) -> None:
        """Store the report's name: the desk shows the report of the claim that succeeded.

        That of an earlier claim, which an operator cancelled, is deleted.
        """
        same = DeskJob.objects.filter(pk=job.pk)
        earlier = set(
            same.exclude(report__in=["", job.report.name]).values_list("report", flat=True)
        )
        same.update(report=job.report.name)
        for name in earlier:
            transaction.on_commit(partial(default_storage.delete, name))

    def after_attempt(self, job_id: UUID) -> None:
        report_files.sweep(job_id)

    def delete(self, job_ids: Sequence[UUID]) -> None:
        """Delete the jobs with their reports and the uploads that no other job reads.

        The files first: by the rows they are found again when the storage fails.
        """
        jobs = DeskJob.objects.filter(pk__in=job_ids)
        uploads = set(jobs.exclude(file="").values_list("file", flat=True))
        others = DeskJob.objects.filter(file__in=uploads).exclude(pk__in=job_ids)
        for name in uploads - set(others.values_list("file", flat=True)):
            default_storage.delete(name)
        for job_id in job_ids:
            report_files.remove(job_id)
        super().delete(job_ids)
