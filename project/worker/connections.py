"""Tasks keep their thread's database connection, as long as CONN_MAX_AGE says.

Celery's own fixup closes it before and after each task, whatever the settings say: a new
connection for every message, the dearest thing about it. Here a task ends as a web request does:
a connection that is broken or too old goes, CONN_HEALTH_CHECKS looks after the others.
"""

from typing import Any

from celery import Celery
from celery.fixups.django import DjangoFixup, DjangoWorkerFixup
from django.db import close_old_connections


class KeepingWorkerFixup(DjangoWorkerFixup):
    """Celery's own, but for the connections around a task."""

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
        """A coroutine ends with its task: what it kept would be nobody's."""
        return not (task.request.is_eager or self.worker.pool_cls.is_green)


class KeepingFixup(DjangoFixup):
    """Celery's own, with that."""

    _worker_fixup: DjangoWorkerFixup | None

    @property
    def worker_fixup(self) -> DjangoWorkerFixup:
        if self._worker_fixup is None:
            self._worker_fixup = KeepingWorkerFixup(self.app)
        return self._worker_fixup


def fixup(app: Celery) -> KeepingFixup:
    """Take the place of `celery.fixups.django:fixup`."""
    return KeepingFixup(app).install()
