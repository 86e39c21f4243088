"""The operator's background work: imports, exports, bulk actions."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import models
from django.utils.translation import gettext_lazy as _

from project.job_runs import LostClaimError
from project.jobs import Job


def _upload_path(job: "DeskJob", name: str) -> str:
    """The uploaded file's place; its name is the shopkeeper's and names nothing here."""
    return f"desk/uploads/{uuid4()}.bin"


class DeskJob(Job):
    """Work that an operator asked for. `orders.desk_jobs` says which kinds there are."""

    queue = "default"
    task = "orders.tasks.work"
    app = "desk"
    heartbeat = timedelta(seconds=10)
    max_duration = timedelta(hours=2)

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="desk_jobs",
        verbose_name=_("asked by"),
    )
    file = models.FileField(_("file"), upload_to=_upload_path, max_length=200, blank=True)
    """What the work reads; several jobs may read the same."""
    report = models.FileField(_("report"), max_length=200, blank=True)
    """What it made; set when the job is done."""

    class Meta(Job.Meta):
        verbose_name = _("desk job")
        verbose_name_plural = _("desk jobs")

    @classmethod
    def delete_jobs(cls, job_ids: Sequence[UUID]) -> None:
        """Delete the jobs, then their reports and the uploads that no other job reads."""
        jobs = cls.objects.filter(pk__in=job_ids)
        uploads = set(jobs.exclude(file="").values_list("file", flat=True))
        reports = set(jobs.exclude(report="").values_list("report", flat=True))
        super().delete_jobs(job_ids)
        read = set(cls.objects.filter(file__in=uploads).values_list("file", flat=True))
        for name in (uploads - read) | reports:
            default_storage.delete(name)

    def perform(self) -> dict[str, Any]:
        from orders.desk_jobs import perform

        return perform(self)

    def publish(self) -> None:
        """Show the report, of the claim that counts."""
        type(self).objects.filter(pk=self.pk).update(report=self.report.name)

    def check_in(self, percent: int) -> None:
        """Show how far the work is. Raises LostClaimError if it is to stop: cancelled, or late."""
        if not type(self).objects.set_progress(self, percent):
            raise LostClaimError(self.pk)

    def keep_report(self, file: File, *, name: str) -> None:
        """Store what the work made, under a name of this claim; `publish` shows it."""
        assert self.token is not None  # claimed
        path = f"desk/{self.pk}/{self.token.hex[:8]}/{name}"
        self.report.name = default_storage.save(path, file)
