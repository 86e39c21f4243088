"""Workers to kill: real ones, started again as `bin/up` does, a relay for them, jobs for both."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from media_jobs.models import MediaJob
from notifications.models import Notification
from project.celery import app
from project.jobs.model import Job
from project.jobs.queryset import Status
from project.local.env import ROOT
from project.local.shop import WORKERS
from project.models import Heartbeat
from project.relay import Relay
from tests.brokers import VALKEY
from tests.concurrency.workers import (
    Inbox,
    PurgingPublisher,
    database_url,
    email,
    open_inbox,
    picture,
)
from tests.live import wait_until

SECONDS = 120
"""For a lease of three seconds and a worker that starts, on a machine that is busy."""


class Supervised:
    """A worker that is started again when it dies, as `bin/up` does."""

    def __init__(self, argv: list[str], *, environment: Mapping[str, str], log: Path) -> None:
        self._argv, self._environment, self._log = argv, {**os.environ, **environment}, log
        self._stopping = threading.Event()
        self.process = self._start()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _start(self) -> subprocess.Popen[bytes]:
        with open(self._log, "ab") as log:
            return subprocess.Popen(
                self._argv, env=self._environment, cwd=ROOT, stdout=log, stderr=log
            )

    def _watch(self) -> None:
        while not self._stopping.wait(0.1):
            if self.process.poll() is not None:
                self.process = self._start()

    def children(self) -> list[int]:
        """The processes of a prefork worker's pool."""
        pid = self.process.pid
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(child) for child in text.split()]

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        children = self.children()
        self.process.kill()
        self.process.wait()
        for child in children:  # they end with their worker, but for one that is stuck
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


@contextmanager
def supervised(
    name: str,
    *,
    folder: Path,
    environment: Mapping[str, str],
    application: str = "project",
    size: int | None = None,
) -> Iterator[Supervised]:
    """Run one of `bin/up`'s workers on the test's database, started again whenever it dies."""
    argv = [*next(service for service in WORKERS if service.name == name).argv]
    argv[argv.index("-A") + 1] = application
    if size:
        argv[argv.index("-c") + 1] = str(size)
    worker = Supervised(
        argv,
        environment={"DATABASE_URL": database_url(), **environment},
        log=folder / f"{name}.log",
    )
    try:
        yield worker
    finally:
        worker.stop()


@pytest.fixture(scope="module")
def inbox() -> Iterator[Inbox]:
    with open_inbox() as inbox:
        yield inbox


@pytest.fixture(scope="module")
def start(
    django_db_setup: None, inbox: Inbox, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Any]:
    """Call it for a context in which one of `bin/up`'s workers runs, broken as it should be."""
    folder: Path = tmp_path_factory.mktemp("worker")

    @contextmanager
    def run(
        name: str,
        *,
        application: str = "tests.faults.breaking",
        broker: str = VALKEY,
        size: int = 2,
        memory: int = 2048,
    ) -> Iterator[Supervised]:
        environment = {
            "CELERY_BROKER_URL": broker,
            "EMAIL_URL": inbox.url,
            "MEDIA_STORAGE": str(folder / "media"),
            "WORKER_MEMORY_MB": str(memory),
        }
        with supervised(
            name, folder=folder, environment=environment, application=application, size=size
        ) as worker:
            yield worker

    run.media = folder / "media"
    return run


@pytest.fixture(scope="module")
def notify(start: Callable[..., Any]) -> Iterator[Supervised]:
    with start("notify", size=4) as worker:
        yield worker


@pytest.fixture(scope="module")
def media(start: Callable[..., Any]) -> Iterator[Supervised]:
    with start("media", memory=1024) as worker:
        yield worker


@pytest.fixture
def relay() -> Iterator[Relay]:
    """A relay for the test to turn, and empty queues."""
    with turned_by_the_test(app) as relay:
        yield relay


@contextmanager
def turned_by_the_test(app: Celery) -> Iterator[Relay]:
    with closing(PurgingPublisher(app)) as publisher:
        for queue in ("notify", "media"):
            publisher.empty(queue)
    relay = Relay(app)
    yield relay
    relay.publisher.close()


def comes_to(relay: Relay, job: Job, status: Status) -> None:
    """Turn the relay until the job is in that status."""

    def has_come() -> bool:
        relay.tick()
        job.refresh_from_db()
        return job.status == status

    wait_until(has_come, seconds=SECONDS, what=f"{job} is {status}")


def message_to(name: str) -> Notification:
    message = email()
    message.recipient = f"{name}@example.org"
    message.save()
    return message


def picture_with(fault: str, **context: Any) -> MediaJob:
    job = picture()
    job.context = {**job.context, "fault": fault, **context}
    job.save()
    return job


def wait_for(worker: str) -> None:
    beats = Heartbeat.objects.filter(name__startswith=f"{worker}@{socket.gethostname()}:")
    beats.delete()
    wait_until(beats.exists, seconds=SECONDS, what=f"{worker} is there")
