"""Celery's beat with its schedule in the database, and a heartbeat."""

import logging
import os
import time
from contextlib import suppress

from celery.result import denied_join_result
from django.db import Error, connection
from django_celery_beat.schedulers import DatabaseScheduler
from kombu.connection import Connection
from kombu.exceptions import KombuError

from project.models import Heartbeat, process_name

logger = logging.getLogger(__name__)

HEARTBEAT_INTERVAL = 5.0
CONNECT_SECONDS = 3.0


class HeartbeatScheduler(DatabaseScheduler):
    """The database scheduler; each tick writes a heartbeat.

    It survives the loss of database and broker. Ticks that were due meanwhile are skipped: all
    scheduled tasks are idempotent sweeps, and the next run makes up for them.
    """

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
