"""As `breaking`, for a control: a worker finishes its job even if another one has claimed it."""

from typing import Any

from celery.signals import worker_init

from tests.faults.breaking import app

__all__ = ["app"]


@worker_init.connect
def take_the_fence_out(**kwargs: Any) -> None:
    from project.jobs.queryset import JobQuerySet

    def held(self: JobQuerySet, job: Any) -> Any:
        return self.filter(pk=job.pk)

    JobQuerySet.held = held
