"""Tasks keep their thread's database connection for CONN_MAX_AGE.

Celery's own fixup closes it before and after each task and ignores the settings: a new
connection for every message, which costs more than the rest of the task. Here a task ends as a
web request does: a broken or too old connection is closed, CONN_HEALTH_CHECKS tests the others.
"""

from typing import Any

from celery import Celery
from celery.fixups.django import DjangoFixup, DjangoWorkerFixup
from django.db import close_old_connections


class KeepingWorkerFixup(DjangoWorkerFixup):
    """Celery's own fixup, except for the connections around a task."""

    def on_task_prerun(self, sender: Any, **kwargs: Any) -> None:
        if self._keeps(sender):
            close_old_connections()
        else:
            super().on_task_prerun(sender, **kwargs)

    def on_task_postrun(self, sender: Any, **kwargs: Any) -> None:
        if self._keeps(sender):
            close_old_connections()
        else:
            super().on_task_postrun(sender, **kwargs)

    def _keeps(self, task: Any) -> bool:
        """Tell whether connections are kept: not in coroutines, which end with their task."""
        return not (task.request.is_eager or self.worker.pool_cls.is_green)


class KeepingFixup(DjangoFixup):
    """Celery's own fixup, with `KeepingWorkerFixup` in workers."""

    _worker_fixup: DjangoWorkerFixup | None

    @property
    def worker_fixup(self) -> DjangoWorkerFixup:
        if self._worker_fixup is None:
            self._worker_fixup = KeepingWorkerFixup(self.app)
        return self._worker_fixup


def fixup(app: Celery) -> KeepingFixup:
    """Replace `celery.fixups.django:fixup`."""
    return KeepingFixup(app).install()
