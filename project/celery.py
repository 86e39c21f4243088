"""The Celery application that relay, workers and beat share."""

import gc
import logging
import os
import time

from celery import Celery, bootsteps
from celery.signals import (
    beat_init,
    celeryd_after_setup,
    heartbeat_sent,
    worker_before_create_process,
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_shutdown,
)
from celery.worker import WorkController
from celery.worker.consumer import Consumer
from celery.worker.heartbeat import Heart

from project.conf.reading import read_settings
from project.local.env import load_local_env
from project.worker import acks

load_local_env()
acks.install()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
# Celery would make all of Django's checks, and so load all pages; ours of the settings are below.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")

logger = logging.getLogger(__name__)
_next_heartbeat: dict[str, float] = {}

app = Celery("tandem", fixups=["project.worker.connections:fixup"])
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_configure.connect
def refuse_wrong_settings(**kwargs: object) -> None:
    """End a worker or beat in one line if a variable is wrong; others have read them before."""
    read_settings()


class PlainConsumer(Consumer):
    """A worker's consumer without Celery's queues for delayed messages.

    For quorum queues Celery declares 28 of them, with as many exchanges, at each connection. Our
    messages have no delay: a job's due time is in its row.
    """

    class Blueprint(Consumer.Blueprint):
        default_steps = [
            step
            for step in Consumer.Blueprint.default_steps
            if not step.endswith("DelayedDelivery")
        ]


class BoundedStop(bootsteps.StartStopStep):
    """Limits the time of a worker's stop: without it the pool waits for its jobs for ever."""

    requires = {"celery.worker.components:Pool"}  # so it stops before the pool

    def stop(self, parent: WorkController) -> None:
        from project.jobs.shutdown import limit_shutdown  # Django isn't set up before

        limit_shutdown()


app.steps["worker"].add(BoundedStop)


@worker_init.connect
@beat_init.connect
def bound_waits(**kwargs: object) -> None:
    """Bound what the tasks of a worker, and beat, wait for in the database."""
    from project.database.timeouts import WORKER, bound_new_connections

    bound_new_connections(WORKER)


@worker_init.connect
def send_spans(sender: WorkController, **kwargs: object) -> None:
    """Send the spans of a worker of threads; one of processes has them in those."""
    from celery.concurrency import get_implementation
    from celery.concurrency.prefork import TaskPool

    from project.tracing.sending import start_sending

    if not issubclass(get_implementation(sender.pool_cls), TaskPool):
        start_sending(str(sender.hostname).partition("@")[0])


@worker_process_init.connect
def send_spans_of_process(sender: object, **kwargs: object) -> None:
    """Send the spans of a prefork worker's process."""
    from project.tracing.sending import start_sending

    start_sending(str(sender).partition("@")[0])


@worker_process_shutdown.connect
@worker_shutdown.connect
def send_last_spans(**kwargs: object) -> None:
    """Send what is left when a process of a worker ends."""
    from project.tracing.sending import stop_sending

    stop_sending()


@worker_before_create_process.connect
def share_memory(**kwargs: object) -> None:
    """Keep what is loaded out of a new process's collections, which would copy its memory."""
    gc.collect()
    gc.freeze()


@celeryd_after_setup.connect
def check_settings(**kwargs: object) -> None:
    """Log what is wrong with the settings; end the process if it can't work with them."""
    from project.checks import stop_at_errors

    stop_at_errors()


@beat_init.connect
def check_settings_and_schedule(**kwargs: object) -> None:
    """Do the same in beat, and log scheduled work that can't reach anybody."""
    from django.db import connection

    from project.checks import SCHEDULE, stop_at_errors

    stop_at_errors(SCHEDULE)
    connection.close()


@heartbeat_sent.connect
def note_heartbeat(sender: Heart, **kwargs: object) -> None:
    """Write a worker's heartbeat to the database, where the health page reads it."""
    # Late imports: Celery loads this module before Django is set up.
    from django.db import Error, connection

    from project.models import Heartbeat, process_name

    worker = sender.eventer.hostname  # notify@host
    if time.monotonic() < _next_heartbeat.get(worker, 0.0):
        return
    _next_heartbeat[worker] = time.monotonic() + 5.0
    try:
        Heartbeat.objects.beat(process_name(worker), pid=os.getpid())
    except Error as error:
        logger.warning("heartbeat missed: %s", error)
    finally:
        # A prefork worker forks new children at any time: no connection may be open then.
        connection.close()


@worker_shutdown.connect
def retire(sender: WorkController, **kwargs: object) -> None:
    """Take back the sign of life of a worker that stops as it was asked to."""
    from django.db import Error, connection

    from project.models import Heartbeat, process_name

    try:
        Heartbeat.objects.retire(process_name(sender.hostname))
    except Error as error:
        logger.warning("heartbeat stays: %s", error)
    finally:
        connection.close()


@worker_process_init.connect
def bound_memory(**kwargs: object) -> None:
    """Bound the memory of a prefork worker's process.

    The threads of other pools share one process and allocate little.
    """
    # Late imports, for the same reason as above.
    from django.conf import settings

    from project.worker.memory import limit_allocations, return_freed_memory

    limit_allocations(settings.WORKER_MEMORY_MB)
    return_freed_memory()
