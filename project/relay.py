"""The relay: rings the broker for jobs that are ready, and calls the sweeps that are due.

It is the only publisher of jobs; several may run. The broker is a doorbell: what it loses is
rung again, and while it can't be reached the relay runs the `notify` jobs itself.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from celery import Celery
from django.db import Error, connection, connections
from django.utils.module_loading import autodiscover_modules

from project.jobs.dispatch import RING_BATCH, bury, ring, unring
from project.jobs.errors import JobError, NotClaimedError
from project.jobs.model import Job, job_models
from project.jobs.publisher import BrokerDown, Doorbell
from project.jobs.run import run_job
from project.jobs.shutdown import bound_the_stop
from project.models import Heartbeat
from project.models import Sweep as SweepRow

logger = logging.getLogger(__name__)

INTERVAL = 0.2
"""Seconds between two looks for jobs."""
HEARTBEAT_INTERVAL = 3.0
BROKER_PATIENCE = 10.0
"""Seconds without a broker after which the relay runs `notify` jobs itself."""
DIRECT_QUEUE = "notify"
DIRECT_THREADS = 4


@dataclass
class Sweep:
    """Work that correctness needs again and again. It must be idempotent."""

    name: str
    run: Callable[[], object]
    interval: float
    """Seconds."""
    due: float = 0.0


_sweeps: list[Sweep] = []


def sweep(*, every: float) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Have the relay call the function every `every` seconds; put it in an app's `sweeps.py`."""

    def register(function: Callable[[], object]) -> Callable[[], object]:
        _sweeps.append(Sweep(name=function.__name__, run=function, interval=every))
        return function

    return register


class Relay:
    """One relay process. `run` returns soon after `stop`, which a signal handler may call."""

    def __init__(self, app: Celery) -> None:
        self.doorbell = Doorbell(app)
        self._stopping = False
        self._name = f"relay@{socket.gethostname()}"
        self._mender = ThreadPoolExecutor(1, thread_name_prefix="mender")
        self._mending: Future[None] | None = None
        self._direct = ThreadPoolExecutor(DIRECT_THREADS, thread_name_prefix="direct")
        self._in_hand: list[Future[None]] = []
        self._next_heartbeat = 0.0

    def stop(self) -> None:
        # Not an Event: setting one in a signal handler can meet the lock of its own waiter.
        self._stopping = True

    def run(self) -> None:
        """Relay until stopped. A database that is away is waited for."""
        autodiscover_modules("sweeps")
        sweeping = threading.Thread(target=self._sweep_loop, name="sweeps")
        sweeping.start()
        try:
            while not self._stopping:
                self._look()
        finally:
            # What waits for a free thread is rung again; what runs has some seconds.
            self._stopping = True
            bound = bound_the_stop()
            self._direct.shutdown(wait=True, cancel_futures=True)
            self._mender.shutdown(wait=True, cancel_futures=True)
            sweeping.join()
            self.doorbell.hang_up()
            connection.close()
            bound.cancel()

    def _look(self) -> None:
        try:
            handled = self.tick()
        except Error as error:
            logger.warning("the database can't be used: %s", error)
            connection.close()
            time.sleep(1.0)
        else:
            if handled < RING_BATCH:  # else there is more
                time.sleep(INTERVAL)

    def tick(self) -> int:
        """Look once at every kind of job; return how many were published or run."""
        handled = 0
        broker = self.doorbell.health
        for model in job_models():
            if broker.ok:
                handled += self._publish(model)
            elif model.queue == DIRECT_QUEUE and broker.down_for() > BROKER_PATIENCE:
                handled += self._run_directly(model)
        if not broker.ok and (self._mending is None or self._mending.done()):
            self._mending = self._mender.submit(self._mend)
        if time.monotonic() >= self._next_heartbeat:
            self._next_heartbeat = time.monotonic() + HEARTBEAT_INTERVAL
            for model in job_models():
                bury(model)
            Heartbeat.objects.beat(self._name, pid=os.getpid(), broker=str(broker))
        return handled

    def _publish(self, model: type[Job]) -> int:
        """Ring for what is ready; what can't be published is given back at once."""
        try:
            room = model.window - self.doorbell.waiting(model.queue)
        except BrokerDown:
            return 0
        if room <= 0:
            return 0
        job_ids = ring(model, limit=min(RING_BATCH, room))
        for published, job_id in enumerate(job_ids):
            try:
                self.doorbell.ring(model, job_id)
            except BrokerDown:
                unring(model, job_ids[published:])
                return published
        return len(job_ids)

    def _mend(self) -> None:
        """Try to reach the broker. In a thread, because a frozen one takes its time to fail."""
        with suppress(BrokerDown):
            self.doorbell.waiting(DIRECT_QUEUE)

    def _run_directly(self, model: type[Job]) -> int:
        """Hand ready jobs to a few threads of our own, no more than these can take."""
        self._in_hand = [future for future in self._in_hand if not future.done()]
        free = 2 * DIRECT_THREADS - len(self._in_hand)
        job_ids = ring(model, limit=free) if free else []
        self._in_hand += [self._direct.submit(self._run_one, model, job_id) for job_id in job_ids]
        return len(job_ids)

    def _run_one(self, model: type[Job], job_id: UUID) -> None:
        try:
            run_job(model, job_id)
        except (NotClaimedError, JobError) as error:
            logger.info("%s %s: %s", model.__name__, job_id, error)
        except Exception:
            logger.exception("%s %s failed", model.__name__, job_id)
        finally:
            connection.close()  # these threads are idle but for an outage

    def _sweep_loop(self) -> None:
        """Call each sweep when it is due, in a thread: a long sweep must not hold up the bell."""
        while not self._stopping:
            for due in _sweeps:
                if time.monotonic() < due.due or self._stopping:
                    continue
                due.due = time.monotonic() + due.interval
                try:
                    _run(due)
                except Error as error:
                    logger.warning("%s: the database can't be used: %s", due.name, error)
                    connections.close_all()
            time.sleep(INTERVAL)
        connections.close_all()


def _run(due: Sweep) -> None:
    """Call the sweep and note what came of it. Raises django.db.Error without a database."""
    try:
        result = due.run()
    except Error:
        raise
    except Exception as error:
        logger.exception("%s failed", due.name)
        SweepRow.objects.note(due.name, error=f"{type(error).__name__}: {error}")
    else:
        if result is not None:  # None: it is another relay's turn, or the sweep is off
            SweepRow.objects.note(due.name, result=str(result))
