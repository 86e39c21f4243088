"""Celery's log of results, wherever CELERY_RESULT_BACKEND keeps it; the jobs don't depend on it.

In our own database, the default, it is seen in test_real_worker.py.
"""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import redis
from celery import Celery
from celery.exceptions import TimeoutError as NotWithinTime

from notifications.models import Notification
from project.local.data_folder import free_port
from tests.brokers import VALKEY, application, empty_queues, rabbitmq_alone
from tests.concurrency.workers import (
    Inbox,
    PurgingPublisher,
    database_url,
    email,
    is_done,
    open_inbox,
    running_worker,
)
from tests.live import wait_until

# Only these tables are emptied after each test: all of the shop's would take a second.
pytestmark = [
    rabbitmq_alone,  # it shares the names of queues, too
    pytest.mark.django_db(
        transaction=True, available_apps=["project", "notifications", "django_celery_results"]
    ),
]


@pytest.fixture(scope="module")
def inbox() -> Iterator[Inbox]:
    with open_inbox() as inbox:
        yield inbox


@pytest.fixture
def memcached() -> Iterator[str]:
    binary = shutil.which("memcached")
    if binary is None:
        pytest.skip("there is no memcached here")
    port = free_port()
    # Root may run it only as somebody.
    process = subprocess.Popen([binary, "-l", "127.0.0.1", "-p", str(port), "-u", "nobody"])
    wait_until(lambda: answers(port), seconds=15, what="memcached")
    yield f"cache+memcached://127.0.0.1:{port}/"
    process.kill()
    process.wait()


def answers(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of the kind of result backend that the test asks for."""
    if request.param == "memcached":
        return str(request.getfixturevalue("memcached"))
    return {
        "redis": VALKEY,
        "rpc": "rpc://",
        "sqlite": f"db+sqlite:///{tmp_path}/results.sqlite",
        "nobody": f"redis://127.0.0.1:{free_port()}/0",
    }[request.param]


@pytest.fixture
def sender(backend: str) -> Iterator[Celery]:
    """An application with the worker's settings, to send tasks and read their results."""
    app = application(VALKEY)
    app.conf.result_backend = backend
    yield app
    if hasattr(app.backend, "client"):  # Redis, memcached
        app.backend.client.close()


@pytest.fixture
def publisher(
    django_db_setup: None, backend: str, sender: Celery, inbox: Inbox, tmp_path: Path
) -> Iterator[PurgingPublisher]:
    """A publisher; on its other end a worker with that result backend."""
    environment = {
        "DATABASE_URL": database_url(),
        "CELERY_BROKER_URL": VALKEY,
        "CELERY_RESULT_BACKEND": backend,
        "EMAIL_URL": inbox.url,
    }
    with (
        empty_queues(VALKEY),
        running_worker("notify", environment=environment, log=tmp_path / "log"),
        closing(PurgingPublisher(sender)) as publisher,
    ):
        yield publisher


def kept_in(*backends: str) -> Any:
    return pytest.mark.parametrize("backend", backends, indirect=True)


@kept_in("redis", "sqlite", "memcached")
def test_a_jobs_result_can_be_read_by_its_id(
    sender: Celery, publisher: PurgingPublisher, inbox: Inbox
) -> None:
    job = email()

    publisher.publish(Notification, job.pk)

    wait_until(lambda: is_done(job), seconds=60)
    assert sender.AsyncResult(str(job.pk)).get(timeout=20) == job.result
    assert inbox.copies(job) == 1


@kept_in("rpc")
def test_rpc_tells_who_sent_the_task_and_the_relay_does_not_listen(
    sender: Celery, publisher: PurgingPublisher
) -> None:
    rung, sent = email(), email()

    publisher.publish(Notification, rung.pk)
    result = sender.send_task(sent.task, args=[str(sent.pk)], queue="notify").get(timeout=60)

    wait_until(lambda: is_done(rung) and is_done(sent), seconds=20)
    assert result == sent.result
    with pytest.raises(NotWithinTime):
        sender.AsyncResult(str(rung.pk)).get(timeout=0.5)


@kept_in("nobody")
def test_a_result_backend_that_is_away_stops_neither_the_bell_nor_the_workers(
    publisher: PurgingPublisher,
) -> None:
    # Three times as many as the worker has threads: each must come back from its result.
    jobs = [email() for _ in range(24)]

    for job in jobs:
        publisher.publish(Notification, job.pk)

    wait_until(lambda: all(is_done(job) for job in jobs), seconds=40)


def tries_to_keep_a_result(app: Celery, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often a worker with this application asks before it goes on, whatever the pauses."""
    monkeypatch.setattr("kombu.utils.functional.sleep", lambda seconds: None)
    asked = Mock(wraps=app.backend._set)
    monkeypatch.setattr(app.backend, "_set", asked)
    with pytest.raises(redis.ConnectionError):
        app.backend.set("key", "result")
    return asked.call_count


@kept_in("nobody")
def test_a_worker_tries_twice_to_keep_a_result(
    sender: Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tries_to_keep_a_result(sender, monkeypatch) == 2


@kept_in("nobody")
def test_control_with_celerys_own_retries_it_tries_twenty_one_times(
    sender: Celery, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.conf.result_backend_transport_options = {}

    assert tries_to_keep_a_result(sender, monkeypatch) == 21


@kept_in("nobody")
def test_control_celerys_own_way_to_publish_needs_the_result_backend(sender: Celery) -> None:
    with pytest.raises(RuntimeError, match="result store"):
        sender.send_task("notifications.tasks.send", args=["1"], queue="notify")
