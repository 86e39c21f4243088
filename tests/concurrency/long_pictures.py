"""A Celery application whose pictures take a minute (`-A` this module): to be stopped meanwhile."""

import time
from typing import Any

from celery.signals import worker_init

from project.celery import app

__all__ = ["app"]


@worker_init.connect
def take_a_minute(**kwargs: Any) -> None:
    from media_jobs.handler import MediaJobHandler
    from media_jobs.models import MediaJob

    def perform(handler: MediaJobHandler, job: MediaJob) -> dict[str, Any]:
        time.sleep(60)
        return {}

    MediaJobHandler.perform = perform  # type: ignore[assignment]
