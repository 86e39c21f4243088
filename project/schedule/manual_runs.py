"""Runs of scheduled work that an operator asks for: each is a job, so the page doesn't wait.

The relay dispatches it, and a worker runs the entry's task.
"""

import json
from typing import Any

from celery import current_app
from django.db import transaction
from django_celery_beat.models import PeriodicTask

from project.jobs.errors import PermanentError
from project.jobs.handler import JobHandler
from project.models import ManualRun
from project.schedule import daily


def ask_to_run(task: PeriodicTask, *, user_id: int | None) -> ManualRun:
    """Return a queued run of the entry's work: a new one, or the one that waits or runs already."""
    with transaction.atomic():
        # A second click at the same moment waits here, and finds the run of the first.
        PeriodicTask.objects.select_for_update(no_key=True).filter(pk=task.pk).first()
        waiting: ManualRun | None
        waiting = ManualRun.objects.filter(periodic_task=task.name).going_on().first()
        return waiting or ManualRun.objects.create(
            kind=task.task, periodic_task=task.name, user_id=user_id
        )


class ManualRunHandler(JobHandler[ManualRun]):
    model = ManualRun

    def perform(self, job: ManualRun) -> dict[str, Any]:
        """Do the work of the entry and return its result, as small JSON.

        Daily work is done for today, due or not, done or not: it is idempotent.
        Raises PermanentError on any failure: the operator asked for one try.
        """
        current_app.loader.import_default_modules()
        entry = PeriodicTask.objects.filter(name=job.periodic_task).first()
        task = current_app.tasks.get(entry.task) if entry else None
        if entry is None or task is None:
            raise PermanentError(f"There is no entry “{job.periodic_task}” with a known task.")
        try:
            if daily.is_daily(entry.task):
                result = daily.do_today(entry.task)
            else:
                result = task.run(*json.loads(entry.args), **json.loads(entry.kwargs))
        except Exception as error:
            raise PermanentError(f"{type(error).__name__}: {error}") from error
        return result if isinstance(result, dict) else {"result": result}
