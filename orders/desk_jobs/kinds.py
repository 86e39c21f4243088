"""Which work a `DeskJob` can do, and how it is asked for.

Declarative: a kind names the function that does it, as text, because the web process only asks
and must not load what reads spreadsheets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.utils import translation
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from orders.models import DeskJob
from project.jobs.errors import LostClaimError, PermanentError
from project.jobs.handler import JobHandler


@dataclass(frozen=True)
class Kind:
    """One kind of work: a function that takes a claimed DeskJob and returns small JSON."""

    name: str
    label: str | Promise
    work: str
    permissions: tuple[str, ...]
    """Who asks for it, or reads its report, needs all of them."""


IMPORT_PRODUCTS = Kind(
    name="import_products",
    label=_("Product import"),
    work="orders.imports.job.work",
    permissions=("orders.add_product", "orders.change_product"),
)
ANNOUNCE = Kind(
    name="announce",
    label=_("Announcement"),
    work="orders.messages.announcements.fan_out",
    permissions=("orders.change_announcement",),
)
KINDS = {kind.name: kind for kind in (IMPORT_PRODUCTS, ANNOUNCE)}


def queue_desk_job(
    kind: Kind,
    *,
    user_id: int | None,
    file: File | str = "",
    context: dict[str, Any] | None = None,
    job_id: UUID | None = None,
) -> DeskJob:
    """Queue the work for this user, and return its job.

    `file` is an upload to store, or the stored file of another job. The same `job_id` twice is
    one job. Its texts will be in the language of now.
    """
    job, _created = DeskJob.objects.get_or_create(
        pk=job_id or uuid4(),
        defaults={
            "kind": kind.name,
            "user_id": user_id,
            "file": file,
            "context": {"language": translation.get_language(), **(context or {})},
        },
    )
    return job


def check_in(job: DeskJob, percent: int) -> None:
    """Show how far the work is. Raises LostClaimError if it is to stop: cancelled, or late."""
    if not DeskJob.objects.set_progress(job, percent):
        raise LostClaimError(job.pk)


def keep_report(job: DeskJob, file: File, *, name: str) -> None:
    """Store what the work made, under a name of this claim; it is shown once the job is done."""
    assert job.token is not None  # claimed
    path = f"desk/{job.pk}/{job.token.hex[:8]}/{name}"
    job.report.name = default_storage.save(path, file)


class DeskJobHandler(JobHandler[DeskJob]):
    model = DeskJob

    def perform(self, job: DeskJob) -> dict[str, Any]:
        """Do what the job's kind says, in the language of the operator who asked."""
        kind = KINDS.get(job.kind)
        if kind is None:
            raise PermanentError(f"Tandem doesn't know how to do “{job.kind}”.")
        with translation.override(job.context.get("language")):
            result: dict[str, Any] = import_string(kind.work)(job)
        return result

    def on_succeeded(self, job: DeskJob) -> None:
        """Show the report, of the claim that counts."""
        DeskJob.objects.filter(pk=job.pk).update(report=job.report.name)

    def delete(self, job_ids: Sequence[UUID]) -> None:
        """Delete the jobs, then their reports and the uploads that no other job reads."""
        jobs = DeskJob.objects.filter(pk__in=job_ids)
        uploads = set(jobs.exclude(file="").values_list("file", flat=True))
        reports = set(jobs.exclude(report="").values_list("report", flat=True))
        super().delete(job_ids)
        read = set(DeskJob.objects.filter(file__in=uploads).values_list("file", flat=True))
        for name in (uploads - read) | reports:
            default_storage.delete(name)
