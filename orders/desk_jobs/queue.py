"""Queueing desk jobs. The desk's pages and the announcements' sweep call it."""

from typing import Any
from uuid import UUID

from django.core.files.base import File
from django.utils import translation

from orders.desk_jobs.kinds import Kind
from orders.models import DeskJob
from project.database.keys import time_ordered_key


def queue_desk_job(
    kind: Kind,
    *,
    user_id: int | None,
    file: File | str = "",
    context: dict[str, Any] | None = None,
    job_id: UUID | None = None,
) -> DeskJob:
    """Queue the work for this user, and return its job.

    `file` is an upload to store, or the stored file of another job. A repeat with the same
    `job_id` returns the same job. The job's texts will be in the current language.
    """
    job, _created = DeskJob.objects.get_or_create(
        pk=job_id or time_ordered_key(),
        defaults={
            "kind": kind.name,
            "user_id": user_id,
            "file": file,
            "context": {"language": translation.get_language(), **(context or {})},
        },
    )
    return job
