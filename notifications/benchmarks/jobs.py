"""`bench jobs`: jobs of no work by relay, broker and worker, against Celery and procrastinate.

The worker is the `notify` one of `bin/up`, with a relay, a Valkey and a scratch database of their
own. Bare Celery has the same pool, size and Valkey; procrastinate the same database.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import redis
from django.core.management.base import CommandError
from django.db import connection, transaction
from django_celery_results.models import TaskResult

from notifications.benchmarks.history import finished_jobs, idle_transaction
from notifications.benchmarks.processes import START_SECONDS, python, running, wait_until
from notifications.models import Notification
from project.benchmarks import Report, judged, scratch_database
from project.database.keys import time_ordered_key
from project.jobs.bell import RING
from project.jobs.queryset import OPEN
from project.local.embedded.running import running_valkey, temporary_data_folder
from project.local.shop import WORKERS
from project.models import Heartbeat

SIZES = (20_000, 2_000_000, 300)
"""Jobs, finished jobs of the last measurement, and the seconds of its idle transaction."""
ROUNDS = 3
"""In turns, so that other load affects all; the median counts."""
WARM_UP = 200
OPEN_STATUSES = {status.value for status in OPEN}
LOOKED_AT = 100
"""Of so many jobs is asked at a time whether they are done."""
CONCURRENCIES = (1, 4, 10, 30)
"""procrastinate's; the fastest counts."""
SLOW_SHARE = 4
"""procrastinate gets this part of the jobs: its rate doesn't depend on their number."""
ORDERS_PER_SECOND = 50
CALM_SECONDS = 20
TARGETS: dict[str, dict[str, float]] = {
    "to procrastinate": {"at_least": 2.0},
    "to bare Celery": {"at_least": 0.6},
    "beside finished jobs and an idle transaction": {"at_least": 0.9},
    "p50 ms to start": {"at_most": 120},
    "p99 ms to start": {"at_most": 400},
}


@dataclass(frozen=True)
class Surroundings:
    """Where the processes of this run find each other."""

    folder: Path
    environment: dict[str, str]

    def running(self, name: str, argv: list[str]) -> Any:
        return running(argv, log=self.folder / f"{name}.log", environment=self.environment)


def bench_jobs(sizes: tuple[int, ...] = SIZES) -> Report:
    """Measure rates and waits. Raises CommandError without procrastinate, or for other sizes."""
    if find_spec("procrastinate") is None:
        raise CommandError("procrastinate comes with requirements-dev.txt (bin/environment).")
    if len(sizes) != len(SIZES):
        raise CommandError("jobs takes three sizes: jobs, finished jobs, seconds.")
    jobs, finished, seconds = sizes
    rates: dict[str, list[float]] = {"tandem": [], "bare Celery": [], "procrastinate": []}
    with _surroundings() as around:
        concurrency = _best_concurrency(around, jobs // SLOW_SHARE // 4)
        for _round in range(ROUNDS):
            with _tandem(around):
                rates["tandem"].append(_run_jobs(jobs))
            rates["bare Celery"].append(_run_bare(around, jobs))
            rates["procrastinate"].append(
                _run_procrastinate(around, jobs // SLOW_SHARE, concurrency)
            )
        with _tandem(around):
            waits = _waits()
            calm, last = _rate_beside_history(jobs, finished=finished, seconds=seconds)
    rows = [_row(name, measured) for name, measured in rates.items()]
    rows[2]["concurrency"] = concurrency
    rows.append(_row(f"tandem, {finished} finished, idle {seconds} s", [last]))
    rows.append(_row("tandem, just before and after", calm))
    rows.append({"what": f"start at {ORDERS_PER_SECOND} orders/s", **waits})
    rate = {name: median(measured) for name, measured in rates.items()}
    ratios = {
        "to procrastinate": rate["tandem"] / rate["procrastinate"],
        "to bare Celery": rate["tandem"] / rate["bare Celery"],
        "beside finished jobs and an idle transaction": last / median(calm),
        "p50 ms to start": waits["p50_ms"],
        "p99 ms to start": waits["p99_ms"],
    }
    return judged(rows, ratios, TARGETS)


@contextmanager
def _surroundings() -> Iterator[Surroundings]:
    with (
        temporary_data_folder() as data,
        running_valkey(data) as broker,
        scratch_database(pool_size=2),
    ):
        server, _slash, _name = os.environ["DATABASE_URL"].rpartition("/")
        os.environ["CELERY_BROKER_URL"] = broker
        environment = {
            **os.environ,
            "DATABASE_URL": f"{server}/{connection.settings_dict['NAME']}",
            "CELERY_BROKER_URL": broker,
        }
        yield Surroundings(data.path, environment)


@contextmanager
def _tandem(around: Surroundings) -> Iterator[None]:
    """Run a relay and the worker of `notify` during the block, as `bin/up` does."""
    services = {service.name: [*service.argv] for service in WORKERS}
    worker = services["notify"][services["notify"].index(python()[0]) :]  # not niced
    worker[worker.index("-A") + 1] = "notifications.benchmarks.no_op"
    Heartbeat.objects.all().delete()
    with around.running("relay", services["relay"]), around.running("notify", worker):
        is_there = Heartbeat.objects.filter(name__startswith="notify@").exists
        wait_until(is_there, seconds=START_SECONDS, what="the worker")
        _run_jobs(WARM_UP)
        yield


def _job() -> Notification:
    return Notification(
        id=time_ordered_key(),
        kind="no_op",
        event="order_placed",
        channel="email",
        recipient="ada@example.org",
        language="en",
    )


def _run_jobs(count: int) -> float:
    """Queue so many jobs; return how many were done per second from their COMMIT to the last."""
    jobs = [_job() for _number in range(count)]
    Notification.objects.bulk_create(jobs)
    seconds = _seconds_until(_are_done([job.pk for job in jobs]))
    done = TaskResult.objects.filter(status="SUCCESS").count()
    assert done == count, f"{done} of {count} have a result of Celery's"
    Notification.objects.filter(kind="no_op").delete()
    TaskResult.objects.all().delete()
    return count / seconds


def _are_done(job_ids: list[Any]) -> Callable[[], bool]:
    """Return a condition that looks at few jobs at a time, by their ids.

    By their status it would pass all that an idle transaction keeps, many times a second.
    """

    def done() -> bool:
        while job_ids:
            looked_at = Notification.objects.filter(pk__in=job_ids[:LOOKED_AT])
            if not OPEN_STATUSES.isdisjoint(looked_at.values_list("status", flat=True)):
                return False
            del job_ids[:LOOKED_AT]
        return True

    return done


def _run_bare(around: Surroundings, count: int) -> float:
    from notifications.benchmarks.bare_celery import app, no_op  # reads the broker's address

    notify = next(service for service in WORKERS if service.name == "notify").argv
    size = notify[notify.index("-c") + 1]
    argv = python("-m", "celery", "-q", "-A", "notifications.benchmarks.bare_celery", "worker")
    argv += ["-P", "threads", "-c", size, "-Q", "bare", "--without-gossip", "--without-mingle"]
    environment = {**around.environment}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    broker = redis.from_url(around.environment["CELERY_BROKER_URL"])
    is_done = lambda: not (broker.llen("bare") or broker.hlen("unacked"))  # noqa: E731
    with (
        ExitStack() as stack,
        app.connection_for_write() as link,
        link.Producer(auto_declare=False) as producer,
    ):
        stack.enter_context(running(argv, log=around.folder / "bare.log", environment=environment))

        def publish(number: int) -> float:
            began = time.perf_counter()
            for _each in range(number):
                no_op.apply_async((str(time_ordered_key()),), producer=producer)
            return number / (time.perf_counter() - began + _seconds_until(is_done))

        publish(WARM_UP)
        return publish(count)


def _run_procrastinate(around: Surroundings, count: int, concurrency: int) -> float:
    """Return the rate of procrastinate's own worker, from the jobs' COMMIT to the last."""
    os.environ["DATABASE_URL"], before = (
        around.environment["DATABASE_URL"],
        os.environ["DATABASE_URL"],
    )
    try:
        from procrastinate.types import JSONValue

        from notifications.benchmarks.procrastinate_jobs import app, no_op

        logging.getLogger("procrastinate").setLevel(logging.WARNING)  # it names each job
    finally:
        os.environ["DATABASE_URL"] = before

    async def defer(number: int) -> None:
        async with app.open_async():
            jobs: list[dict[str, JSONValue]] = [{"job_id": str(each)} for each in range(number)]
            await no_op.batch_defer_async(*jobs)

    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('procrastinate_jobs')")
        if cursor.fetchone() == (None,):
            cursor.execute(app.schema_manager.get_schema().replace("%", "%%"), [])
    argv = python("-m", "procrastinate", "-a", "notifications.benchmarks.procrastinate_jobs.app")
    argv += ["worker", "--concurrency", str(concurrency)]
    with around.running("procrastinate", argv):
        asyncio.run(defer(WARM_UP // 4))
        _seconds_until(_procrastinate_is_done)
        asyncio.run(defer(count))
        return count / _seconds_until(_procrastinate_is_done)


def _procrastinate_is_done() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT NOT EXISTS (SELECT FROM procrastinate_jobs WHERE status IN ('todo', 'doing'))"
        )
        return bool(cursor.fetchone()[0])


def _best_concurrency(around: Surroundings, count: int) -> int:
    return max(CONCURRENCIES, key=lambda each: _run_procrastinate(around, max(count, 50), each))


def _waits() -> dict[str, float]:
    """Queue jobs as orders do; return how long they waited, by the database's clock."""
    pause = 1 / ORDERS_PER_SECOND
    next_at = time.monotonic()
    for _number in range(ORDERS_PER_SECOND * CALM_SECONDS):
        with transaction.atomic(), connection.cursor() as cursor:
            _job().save(force_insert=True)
            cursor.execute(f"SELECT {RING}")
        next_at += pause
        time.sleep(max(0.0, next_at - time.monotonic()))
    _seconds_until(lambda: not Notification.objects.filter(status__in=OPEN).exists())
    times = Notification.objects.filter(kind="no_op").values_list("created_at", "started_at")
    waits = sorted((started - created).total_seconds() * 1000 for created, started in times)
    Notification.objects.filter(kind="no_op").delete()
    TaskResult.objects.all().delete()
    return {
        "p50_ms": round(waits[len(waits) // 2], 1),
        "p99_ms": round(waits[int(len(waits) * 0.99)], 1),
    }


def _rate_beside_history(jobs: int, *, finished: int, seconds: int) -> tuple[list[float], float]:
    """Return the rates before and after, and that of the last jobs that begin beside it.

    That is: beside many finished jobs, while a transaction is idle for so long.
    """
    calm = [_run_jobs(jobs)]
    finished_jobs(finished)
    with idle_transaction():
        over = time.monotonic() + seconds
        while True:
            last = _run_jobs(jobs)
            if time.monotonic() > over:
                break
    return [*calm, _run_jobs(jobs)], last


def _seconds_until(condition: Callable[[], object]) -> float:
    began = time.perf_counter()
    while not condition():
        if time.perf_counter() - began > 1800:
            raise CommandError("the jobs aren't done within half an hour")
        time.sleep(0.02)
    return time.perf_counter() - began


def _row(what: str, rates: list[float]) -> dict[str, Any]:
    ordered = sorted(rates)
    return {
        "what": what,
        "per_second": round(median(rates), 1),
        "least": round(ordered[0], 1),
        "most": round(ordered[-1], 1),
    }
