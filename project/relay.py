"""The relay: it publishes ready jobs to the broker, and calls the sweeps that are due.

Only relays publish jobs; several may run. A message that the broker loses is published again,
and while the broker can't be reached the relay runs the `notify` jobs itself.
"""

import logging
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from uuid import UUID

from celery import Celery
from django.db import Error, connection

from project.database.errors import is_outage
from project.database.timeouts import WORKER, bound_session
from project.jobs.dispatch import RING_BATCH, bury, ring, unring
from project.jobs.errors import JobError, NotClaimedError
from project.jobs.model import Job, job_models
from project.jobs.publisher import BrokerDown, Publisher
from project.jobs.run import run_job
from project.jobs.shutdown import limit_shutdown
from project.models import Heartbeat, process_name
from project.queues.pausing import paused_queues
from project.schedule.sweeps import start_sweeps

logger = logging.getLogger(__name__)

INTERVAL = 0.2
"""Seconds between two looks for jobs."""
HEARTBEAT_INTERVAL = 3.0
BROKER_GRACE = 10.0
"""Seconds without a broker after which the relay runs `notify` jobs itself."""
DIRECT_QUEUE = "notify"
DIRECT_THREADS = 4


@contextmanager
def _hurting_only(model: type[Job]) -> Iterator[None]:
    """Let what concerns one statement about these jobs, such as a locked table, stop no others."""
    try:
        yield
    except Error as error:
        if is_outage(error):
            raise
        logger.warning("%s: %s", model.__name__, error)


class Relay:
    """One relay process. `run` returns soon after `stop`, which a signal handler may call."""

    def __init__(self, app: Celery) -> None:
        self.publisher = Publisher(app)
        self._stopping = False
        self._name = process_name("relay")
        self._reconnector = ThreadPoolExecutor(1, thread_name_prefix="reconnect")
        self._reconnecting: Future[None] | None = None
        self._direct = ThreadPoolExecutor(DIRECT_THREADS, thread_name_prefix="direct")
        self._direct_jobs: list[Future[None]] = []
        self.next_heartbeat = 0.0
        """On the `time.monotonic` clock."""

    def stop(self) -> None:
        # Not an Event: a signal handler that sets it can deadlock with a waiter in the same thread.
        self._stopping = True

    def run(self) -> None:
        """Relay until stopped; wait for a database that is down."""
        sweeping: list[threading.Thread] = []
        try:
            sweeping += start_sweeps(lambda: self._stopping)
            while not self._stopping:
                self.look()
        finally:
            # Jobs that wait for a free thread are rung again; running ones have some seconds.
            self._stopping = True
            bound = limit_shutdown()
            self.close()
            for thread in sweeping:
                thread.join()
            self._retire()
            connection.close()
            bound.cancel()

    def close(self) -> None:
        """Wait for the jobs that run, give up those that wait for a thread, disconnect."""
        self._direct.shutdown(wait=True, cancel_futures=True)
        self._reconnector.shutdown(wait=True, cancel_futures=True)
        self.publisher.close()

    def look(self) -> None:
        """Tick, then pause unless there is more to do; a failing database takes a longer pause."""
        try:
            bound_session()
            handled = self.tick()
        except Error as error:
            logger.warning("the database can't be used: %s", error)
            connection.close()
            time.sleep(1.0)
        else:
            if handled < RING_BATCH:  # a full batch: more jobs may be ready
                time.sleep(INTERVAL)

    def tick(self) -> int:
        """Look once at the jobs of every queue that isn't paused; return how many were handled."""
        handled = 0
        broker = self.publisher.health
        paused = paused_queues()
        for model in job_models():
            if model.queue in paused:
                continue
            with _hurting_only(model):
                if broker.ok:
                    handled += self._publish(model)
                elif model.queue == DIRECT_QUEUE and broker.down_for() > BROKER_GRACE:
                    handled += self._run_directly(model)
        if not broker.ok and (self._reconnecting is None or self._reconnecting.done()):
            self._reconnecting = self._reconnector.submit(self._reconnect)
        if time.monotonic() >= self.next_heartbeat:
            self.next_heartbeat = time.monotonic() + HEARTBEAT_INTERVAL
            Heartbeat.objects.beat(self._name, pid=os.getpid(), broker=str(broker))
            for model in job_models():
                with _hurting_only(model):
                    bury(model)
        return handled

    def _publish(self, model: type[Job]) -> int:
        """Publish ready jobs; those that can't be published are ready again at once."""
        try:
            room = model.window - self.publisher.queue_length(model.queue)
        except BrokerDown:
            return 0
        if room <= 0:
            return 0
        job_ids = ring(model, limit=min(RING_BATCH, room))
        for published, job_id in enumerate(job_ids):
            try:
                self.publisher.publish(model, job_id)
            except BrokerDown:
                unring(model, job_ids[published:])
                return published
        return len(job_ids)

    def _retire(self) -> None:
        with suppress(Error):
            Heartbeat.objects.retire(self._name)

    def _reconnect(self) -> None:
        """Try to reach the broker; in a thread, because a frozen broker fails only by timeout."""
        with suppress(BrokerDown):
            self.publisher.queue_length(DIRECT_QUEUE)

    def _run_directly(self, model: type[Job]) -> int:
        """Submit ready jobs to a few threads of our own, no more than they can take."""
        self._direct_jobs = [future for future in self._direct_jobs if not future.done()]
        free = 2 * DIRECT_THREADS - len(self._direct_jobs)
        job_ids = ring(model, limit=free) if free else []
        self._direct_jobs += [
            self._direct.submit(self._run_one, model, job_id) for job_id in job_ids
        ]
        return len(job_ids)

    def _run_one(self, model: type[Job], job_id: UUID) -> None:
        try:
            bound_session(WORKER)
            run_job(model, job_id)
        except (NotClaimedError, JobError) as error:
            logger.info("%s %s: %s", model.__name__, job_id, error)
        except Exception:
            logger.exception("%s %s failed", model.__name__, job_id)
        finally:
            connection.close()  # outside an outage these threads are idle
