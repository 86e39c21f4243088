"""Desk jobs: an operator's background work, such as an import."""

from datetime import timedelta
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from project.jobs.model import Job


def _upload_path(job: "DeskJob", name: str) -> str:
    """Return the uploaded file's path. The operator's file name is not part of it."""
    return f"desk/uploads/{uuid4()}.bin"


class DeskJob(Job):
    """Background work that an operator requested. `orders.desk_jobs.kinds` lists its kinds."""

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
    """The job's input; several jobs may share one file."""
    report = models.FileField(_("report"), max_length=200, blank=True)
    """The job's output, set when the job is done."""

    class Meta(Job.Meta):
        verbose_name = _("desk job")
        verbose_name_plural = _("desk jobs")
