"""`bench pools`: sends the same messages with each of Celery's pools, and in a bare smtplib loop.

It uses real workers, which `bin/up` starts in the same way except for the pool, with a relay, a
Valkey and a scratch database of their own, and a mail server that takes 50 ms for each message.
"""

import os
import smtplib
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

from django.core.mail import EmailMultiAlternatives
from django.core.management.base import CommandError
from django.db import connection
from django_celery_results.models import TaskResult

from notifications.benchmarks.processes import (
    START_SECONDS,
    MemoryWatch,
    cpu_seconds,
    python,
    running,
    wait_until,
)
from notifications.models import Notification
from notifications.outbox import order_messages
from notifications.rendering import render
from project.benchmarks import Report, scratch_database
from project.jobs.queryset import OPEN, Status
from project.local.data_folder import free_port
from project.local.embedded.running import running_valkey, temporary_data_folder
from project.local.shop import WORKERS
from project.models import Heartbeat

MESSAGES = 500
WARM_UP = 40
"""Messages before the measurement: they open connections and load templates and modules."""
BARE_MESSAGES = 100
DELAY = 0.05
"""Seconds that the mail server takes for a message."""
ROUNDS = 3
"""The variants alternate, so that other load affects all; the median round counts."""
CONNECTIONS = 4
POOLS = {"threads": CONNECTIONS, "prefork": CONNECTIONS, "gevent": CONNECTIONS, "solo": 1}
"""The number of messages that each variant sends at a time."""
BARE = "bare smtplib"

TARGET_PER_CONNECTION = 0.7

CONTEXT = {
    "number": "T1001",
    "name": "Ada Lovelace",
    "shop_name": "Tandem",
    "language": "en",
    "currency": "EUR",
    "items_total": "24.60",
    "delivery_total": "0.00",
    "total": "24.60",
    "status_url": "https://shop.example/orders/0d9f/",
    "lines": [
        {"sku": "TEA", "name": "Tea", "quantity": 2, "unit_price": "12.30", "total": "24.60"}
    ],
}


def bench_pools() -> Report:
    """Send the messages by each pool. Raises CommandError if gevent isn't installed."""
    if find_spec("gevent") is None:
        raise CommandError(
            "gevent isn't installed: it comes with requirements-dev.txt (bin/environment)."
        )
    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in (BARE, *POOLS)}
    with _surroundings() as (folder, environment, port):
        for _round in range(ROUNDS):
            rounds[BARE].append(_bare_loop(port))
            for pool, size in POOLS.items():
                rounds[pool].append(
                    _worker(pool, size=size, folder=folder, environment=environment)
                )
    return _judge([_row(name, measured) for name, measured in rounds.items()])


@contextmanager
def _surroundings() -> Iterator[tuple[Path, dict[str, str], int]]:
    """Run the surrounding servers; yield a folder, the worker's environment, the mail's port."""
    port = free_port()
    with (
        temporary_data_folder() as data,
        running_valkey(data) as broker,
        scratch_database(pool_size=2),
    ):
        server, _slash, _name = os.environ["DATABASE_URL"].rpartition("/")
        environment = {
            **os.environ,
            "DATABASE_URL": f"{server}/{connection.settings_dict['NAME']}",
            "CELERY_BROKER_URL": broker,
            "EMAIL_URL": f"smtp://127.0.0.1:{port}",
        }
        mail = python("-m", "notifications.benchmarks.slow_mail", str(port), str(DELAY))
        relay = next(service for service in WORKERS if service.name == "relay")
        with (
            running(mail, log=data.path / "mail.log", environment=environment),
            running([*relay.argv], log=data.path / "relay.log", environment=environment),
        ):
            wait_until(lambda: _listens(port), seconds=START_SECONDS, what="the mail server")
            yield data.path, environment, port


def _listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _worker(pool: str, *, size: int, folder: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Start a worker, warm it up, have it send the messages; return its seconds and memory."""
    # Not niced, because the bare loop isn't.
    argv = [*next(service for service in WORKERS if service.name == "notify").argv]
    argv = argv[argv.index(python()[0]) :]
    argv[argv.index("-P") + 1] = pool
    argv[argv.index("-c") + 1] = str(size)
    Heartbeat.objects.filter(name__startswith="notify@").delete()
    with running(argv, log=folder / f"{pool}.log", environment=environment) as process:
        is_there = Heartbeat.objects.filter(name__startswith="notify@").exists
        wait_until(is_there, seconds=START_SECONDS, what=f"a worker with {pool}")
        _send(WARM_UP)
        used = cpu_seconds(process.pid)
        with MemoryWatch(process.pid) as memory:
            seconds = _send(MESSAGES)
        used = cpu_seconds(process.pid) - used
    return {
        "connections": size,
        "per_second": MESSAGES / seconds,
        "seconds": seconds,
        "cpu_ms": 1000 * used / MESSAGES,
        "pss_mb": memory.pss_mb,
        "rss_mb": memory.rss_mb,
    }


def _send(count: int) -> float:
    """Have the worker send so many messages; return the seconds from their COMMIT to the last."""
    Notification.objects.bulk_create(_message(number) for number in range(count))
    started = time.perf_counter()
    waiting = Notification.objects.filter(status__in=OPEN)
    wait_until(lambda: not waiting.exists(), seconds=300, what=f"{count} messages")
    seconds = time.perf_counter() - started
    assert Notification.objects.filter(status=Status.DONE).count() == count
    Notification.objects.all().delete()
    TaskResult.objects.all().delete()
    return seconds


def _bare_loop(port: int) -> dict[str, Any]:
    """Send the same e-mail, rendered already, by one connection that stays open."""
    job = _message(0)
    words = render(job)
    email = EmailMultiAlternatives(words.subject, words.text, to=[job.recipient])
    email.attach_alternative(words.html, "text/html")
    content = email.message().as_string().replace("\n", "\r\n").encode()
    started = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for _number in range(BARE_MESSAGES):
            server.sendmail(email.from_email, email.to, content)
    seconds = time.perf_counter() - started
    return {"connections": 1, "per_second": BARE_MESSAGES / seconds}


def _message(number: int) -> Notification:
    [message] = order_messages(
        event="order_placed",
        order_id=uuid4(),
        context=CONTEXT,
        email=f"ada-{number}@example.org",
        phone="",
        language="en",
    )
    return message


def _row(name: str, measured: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the median round, rounded; columns that don't apply are empty."""
    middle = {column: median(one[column] for one in measured) for column in measured[0]}

    def cell(column: str, places: int) -> Any:
        return round(middle[column], places or None) if column in middle else ""

    return {
        "pool": name,
        "connections": int(middle["connections"]),
        "seconds": cell("seconds", 1),
        "per_second": cell("per_second", 1),
        "per_connection": round(middle["per_second"] / middle["connections"], 2),
        "cpu_ms": cell("cpu_ms", 1),
        "pss_mb": cell("pss_mb", 0),
        "rss_mb": cell("rss_mb", 0),
    }


def _judge(rows: list[dict[str, Any]]) -> Report:
    by_pool = {row["pool"]: row for row in rows}
    bare, threads = by_pool[BARE], by_pool["threads"]
    ratios = {
        f"per_connection_{pool}": round(by_pool[pool]["per_connection"] / bare["per_connection"], 2)
        for pool in POOLS
    }
    for other in ("prefork", "gevent"):
        ratios[f"rate_threads_to_{other}"] = round(
            threads["per_second"] / by_pool[other]["per_second"], 2
        )
        if by_pool[other]["pss_mb"]:
            ratios[f"memory_threads_to_{other}"] = round(
                threads["pss_mb"] / by_pool[other]["pss_mb"], 2
            )
    missed = []
    if ratios["per_connection_threads"] < TARGET_PER_CONNECTION:
        missed.append(
            f"per_connection_threads is {ratios['per_connection_threads']},"
            f" wanted at least {TARGET_PER_CONNECTION:g}"
        )
    return Report(rows=rows, ratios=ratios, missed=missed)
