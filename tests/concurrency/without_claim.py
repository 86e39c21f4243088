"""A Celery application for a control: its workers run a job without a claim (`-A` this module)."""

from typing import Any
from uuid import UUID

from celery.signals import worker_init
from django.db.models.functions import Now

from project.celery import app

__all__ = ["app"]


@worker_init.connect
def take_the_guard_out(**kwargs: Any) -> None:
    from project.jobs.queryset import JobQuerySet, Status

    def claim(self: JobQuerySet, job_id: UUID) -> Any:
        # The job's own id as token: no claim ever ends another's.
        token, lease = job_id, Now() + self.model.lease
        self.filter(pk=job_id).update(status=Status.RUNNING, token=token, lease_until=lease)
        return self.get(pk=job_id)

    JobQuerySet.claim = claim
