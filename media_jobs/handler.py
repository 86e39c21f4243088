"""The handler of media jobs: it makes renditions, makes them visible, and deletes them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from media_jobs import rendition_files, video_slot
from media_jobs.models import MediaJob, Rendition
from media_jobs.publishing import publish
from media_jobs.recipes import INVOICE
from project.jobs.handler import JobHandler
from project.jobs.queryset import Status

# The longest video's, in seconds: ffmpeg is stopped by `videos` long before. Pictures have limits
# of their own (`limits`). At the soft limit the job fails with that as its reason; at the hard
# limit its process is killed, and the job's lease counts a lost worker.
SOFT_LIMIT = 600 + 60 * 10 * settings.MEDIA_MAX_VIDEO_MINUTES
HARD_LIMIT = SOFT_LIMIT + 60


class MediaJobHandler(JobHandler[MediaJob]):
    model = MediaJob
    options = {"soft_time_limit": SOFT_LIMIT, "time_limit": HARD_LIMIT}

    def __init__(self) -> None:
        self._homes: dict[UUID, str] = {}
        """Where the attempts of this process write: a job's row may be deleted meanwhile."""

    def perform(self, job: MediaJob) -> dict[str, Any]:
        from media_jobs.processing import process  # the decoders load in the media worker only

        self._homes[job.pk] = rendition_files.home_of(job)
        return process(job)

    def attempt_fields(self, job: MediaJob, ended: str, words: str) -> dict[str, Any]:
        if ended != Status.DONE:
            return {}
        assert job.result is not None
        return {name: job.result[name] for name in ("recipe_hash", "placeholder")}

    def on_succeeded(self, job: MediaJob) -> None:
        """Replace the job's renditions by those of the claim that has just finished it."""
        assert job.result is not None  # finished as done
        job.renditions.all().delete()
        Rendition.objects.bulk_create(
            Rendition(job=job, **rendition) for rendition in job.result["renditions"]
        )
        if job.asset is not None:
            publish(job.asset)

    def claim_guard(self, job_id: UUID) -> AbstractContextManager[bool]:
        """Let a video be claimed only while fewer than allowed are being processed."""
        return video_slot.free_slot(job_id)

    def window(self) -> int:
        """Return the model's window for each worker: each has as many processes."""
        return MediaJob.window * video_slot.count_workers()

    def before_dispatch(self) -> None:
        """Dispatch no video that no worker could claim."""
        video_slot.delay_videos()

    def after_attempt(self, job_id: UUID) -> None:
        rendition_files.sweep(job_id, home=self._homes.pop(job_id, ""))

    def prunable(self) -> QuerySet[Any]:
        """Return passes, print files and slips of old orders.

        An asset's renditions stay as long as it, and invoices for ever.
        """
        return super().prunable().filter(asset=None).exclude(recipe=INVOICE.name)

    def delete(self, job_ids: Sequence[UUID]) -> None:
        """Delete the jobs with their files, which may name a customer.

        The files first: by the rows they are found again when the storage fails.
        """
        files = Rendition.objects.filter(job__in=job_ids).values_list("file", flat=True)
        for folder in sorted({file.rpartition("/")[0] for file in files}):
            others = Rendition.objects.filter(file__startswith=f"{folder}/").exclude(
                job__in=job_ids
            )
            if not others.exists():
                rendition_files.remove(folder)
        super().delete(job_ids)
