"""Celery's beat with its schedule in the database, and a heartbeat.

Beat shares the rows of the schedule with the desk. It writes only its own columns: django-celery-
beat reads a row, sets two fields and writes all columns, which undoes an edit of that moment.
"""

import logging
import os
import time
from contextlib import suppress

from celery.result import denied_join_result
from celery.schedules import schedstate
from django.db import Error, connection
from django_celery_beat.models import PeriodicTask, PeriodicTasks
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry
from django_celery_beat.utils import NEVER_CHECK_TIMEOUT
from kombu.connection import Connection
from kombu.exceptions import KombuError

from project.models import Heartbeat, process_name

logger = logging.getLogger(__name__)

HEARTBEAT_INTERVAL = 5.0
CONNECT_SECONDS = 3.0


class OwnColumnsEntry(ModelEntry):
    """An entry that writes when it ran and how often, and whether it is over."""

    def save(self) -> None:
        """Write the last run. An entry that was switched off meanwhile stays without one."""
        PeriodicTask.objects.filter(pk=self.model.pk, enabled=True).update(
            last_run_at=self.model.last_run_at, total_run_count=self.model.total_run_count
        )

    def is_due(self) -> schedstate:
        """Tell whether the entry is due. It switches off one that was to run once, and has."""
        if self._has_run_its_one_time():
            self._switch_off(total_run_count=0)
            PeriodicTasks.update_changed()
            return schedstate(False, NEVER_CHECK_TIMEOUT)
        return super().is_due()

    def _has_run_its_one_time(self) -> bool:
        task = self.model
        has_begun = task.start_time is None or task.start_time <= self._default_now()
        return bool(task.enabled and task.one_off and task.total_run_count > 0 and has_begun)

    def _disable(self, model: PeriodicTask) -> None:
        self.model = model  # the constructor disables an entry that can't be read
        self._switch_off()

    def _switch_off(self, **columns: object) -> None:
        """Switch the entry off, unless it was edited after beat read it: it is read again then."""
        task = self.model
        task.enabled = False
        unedited = PeriodicTask.objects.filter(pk=task.pk, date_changed=task.date_changed)
        unedited.update(enabled=False, last_run_at=None, **columns)


class HeartbeatScheduler(DatabaseScheduler):
    """The database scheduler; each tick writes a heartbeat.

    It survives the loss of database and broker. Ticks that were due meanwhile are skipped: all
    scheduled tasks are idempotent sweeps, and the next run makes up for them.
    """

    Entry = OwnColumnsEntry

    next_heartbeat = 0.0
    """On the `time.monotonic` clock."""

    def tick(self, *args: object, **kwargs: object) -> float:
        """Publish due tasks and return the seconds until the next tick."""
        try:
            if time.monotonic() >= self.next_heartbeat:
                self.next_heartbeat = time.monotonic() + HEARTBEAT_INTERVAL
                Heartbeat.objects.beat(process_name("beat"), pid=os.getpid())
            # Beat waits for no result; otherwise publishing would need the result backend, too.
            with denied_join_result():
                return min(super().tick(*args, **kwargs), HEARTBEAT_INTERVAL)
        except (Error, KombuError) as error:
            logger.warning("nothing can be scheduled now: %s", error)
            connection.close()
            # The error may have taken an entry out of the heap: read all entries anew.
            self._initial_read, self._heap = True, None
            return HEARTBEAT_INTERVAL

    def close(self) -> None:
        """End, and leave no heartbeat that looks like a death."""
        super().close()
        with suppress(Error):
            Heartbeat.objects.retire(process_name("beat"))

    def _ensure_connected(self) -> Connection:
        # Celery's own method waits for a lost broker for ever, and writes no heartbeat meanwhile.
        return self.connection.ensure_connection(
            max_retries=1, interval_start=0, timeout=CONNECT_SECONDS
        )
