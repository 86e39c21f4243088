"""The relay: it publishes ready jobs to the broker, and calls the sweeps that are due.

Only relays publish jobs; several may run. A message that the broker loses is published again,
and while the broker can't be reached the relay runs the `notify` jobs itself.
"""

import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from uuid import UUID

from celery import Celery
from django.db import Error, connection

from project import trail
from project.database.errors import is_outage
from project.database.timeouts import WORKER, bound_session
from project.jobs.bell import Bell
from project.jobs.dispatch import RING_BATCH, Rung, bury, packs, rung, unring
from project.jobs.errors import JobError, LostClaimError, NotClaimedError
from project.jobs.handler import handler_of
from project.jobs.looks import Looks
from project.jobs.model import Job, job_models
from project.jobs.publisher import BrokerDown, Publisher
from project.jobs.run import run_job
from project.jobs.shutdown import limit_shutdown
from project.jobs.starts import Starts
from project.models import Heartbeat, process_name
from project.queues.pausing import paused_queues
from project.schedule.sweeps import start_sweeps
from project.tracing.sending import stop_sending
from project.tracing.spans import ROOT, span, traceparent

logger = logging.getLogger(__name__)

INTERVAL = 0.2
"""Seconds between two looks for jobs, unless the bell rings before."""
SHORTEST = 0.05
"""Seconds between two looks at least, however often the bell rings."""
HEARTBEAT_INTERVAL = 3.0
BROKER_GRACE = 10.0
"""Seconds without a broker after which the relay runs `notify` jobs itself."""
DIRECT_QUEUE = "notify"
DIRECT_THREADS = 4
"""For each model of jobs: one whose other side hangs keeps no other model's jobs waiting."""


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
        self._bell = Bell()
        self._looks: dict[type[Job], Looks] = {}
        self._starts = Starts()
        self._stopping = False
        self._name = process_name("relay")
        self._reconnector = ThreadPoolExecutor(1, thread_name_prefix="reconnect")
        self._reconnecting: Future[None] | None = None
        self._direct: dict[type[Job], ThreadPoolExecutor] = {}
        self._direct_jobs: dict[type[Job], list[Future[None]]] = {}
        self.next_heartbeat = 0.0
        """On the `time.monotonic` clock."""
        self._filled = False
        """Whether the last tick filled a queue: short jobs would make its workers wait for more."""

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
            stop_sending()
            bound.cancel()

    def close(self) -> None:
        """Wait for the jobs that run, give up those that wait for a thread, disconnect."""
        for pool in self._direct.values():
            pool.shutdown(wait=False, cancel_futures=True)
        for pool in self._direct.values():
            pool.shutdown(wait=True)
        self._reconnector.shutdown(wait=True, cancel_futures=True)
        self.publisher.close()

    def look(self) -> None:
        """Tick, then pause unless there is more to do; a failing database takes a longer pause."""
        try:
            bound_session()
            handled = self.tick()
            if handled < RING_BATCH:  # after a full batch more jobs may be ready
                time.sleep(SHORTEST)
                if not self._filled:
                    self._bell.wait(INTERVAL - SHORTEST)
        except Error as error:
            logger.warning("the database can't be used: %s", error)
            connection.close()
            time.sleep(1.0)

    def tick(self) -> int:
        """Look once at the jobs of every queue that isn't paused; return how many were handled."""
        handled = 0
        self._filled = False
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
            Heartbeat.objects.beat(
                self._name,
                pid=os.getpid(),
                broker=str(broker),
                ring_to_start=self._starts.look(),
            )
            for model in job_models():
                with _hurting_only(model):
                    bury(model)
        return handled

    def _ring(self, model: type[Job], *, limit: int) -> list[Rung]:
        if model.backdated:
            return rung(model, limit=limit)
        looks = self._looks.setdefault(model, Looks())
        jobs = rung(model, limit=limit, since=looks.begin())
        oldest = max((job.ready_for for job in jobs), default=0.0)
        looks.end(found_all=len(jobs) < limit, oldest=oldest)
        return jobs

    def _publish(self, model: type[Job]) -> int:
        """Publish ready jobs; those that can't be published are ready again at once."""
        handler = handler_of(model)
        try:
            # Each message that waits may name so many jobs.
            waiting = self.publisher.queue_length(model.queue) * handler.pack
            room = handler.window() - waiting
        except BrokerDown:
            return 0
        if room <= 0:
            return 0
        jobs = self._ring(model, limit=min(RING_BATCH, room))
        job_ids = [job.id for job in jobs]
        published, began = 0, time.monotonic()
        for pack in packs(job_ids, most=handler.pack):
            try:
                self._publish_pack(model, pack, jobs)
            except BrokerDown:
                unring(model, job_ids[published:])
                break
            published += len(pack)
        self._filled |= published == room
        self._starts.note(model, job_ids[:published], at=began)
        if published and trail.is_told():
            told = [trail.ids(job_id=job.id, order_id=job.order_id) for job in jobs[:published]]
            trail.tell("jobs published", app=model.app, jobs=told)
        return published

    def _publish_pack(self, model: type[Job], pack: Sequence[UUID], jobs: Sequence[Rung]) -> None:
        """Publish one message, in a span that links to those in which its jobs were queued."""
        links = (job.traceparent for job in jobs if job.id in pack)
        with span(f"publish {model.queue}", "producer", parent=ROOT, links=links):
            self.publisher.publish(model, *pack, traceparent=traceparent())

    def _retire(self) -> None:
        with suppress(Error):
            Heartbeat.objects.retire(self._name)

    def _reconnect(self) -> None:
        """Try to reach the broker; in a thread, because a frozen broker fails only by timeout."""
        with suppress(BrokerDown):
            self.publisher.queue_length(DIRECT_QUEUE)

    def _run_directly(self, model: type[Job]) -> int:
        """Submit ready jobs to a few threads of our own, no more than they can take."""
        running = [future for future in self._direct_jobs.get(model, ()) if not future.done()]
        free = 2 * DIRECT_THREADS - len(running)
        jobs = self._ring(model, limit=free) if free else []
        if jobs and model not in self._direct:
            self._direct[model] = ThreadPoolExecutor(DIRECT_THREADS, f"direct-{model.app}")
        running += [self._direct[model].submit(self._run_one, model, job.id) for job in jobs]
        self._direct_jobs[model] = running
        return len(jobs)

    def _run_one(self, model: type[Job], job_id: UUID) -> None:
        try:
            bound_session(WORKER)
            try:
                run_job(model, job_id)
            finally:
                if not self._stopping:
                    handler_of(model).after_attempt(job_id)
        except (NotClaimedError, LostClaimError, JobError) as error:
            logger.info("%s %s: %s", model.__name__, job_id, error)
        except Exception:
            logger.exception("%s %s failed", model.__name__, job_id)
        finally:
            connection.close()  # outside an outage these threads are idle
