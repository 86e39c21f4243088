"""Real Celery workers, one per pool, as `bin/up` starts them: they are what the claim guards.

On the run's Valkey, and on a RabbitMQ where there is one.
"""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now
from django_celery_results.models import TaskResult

from media_jobs.models import MediaJob, Rendition
from notifications.models import Notification
from project.jobs.model import Job
from project.jobs.publisher import Publisher
from project.jobs.queryset import Status
from project.models import Heartbeat
from tests.brokers import (
    RABBITMQ,
    VALKEY,
    application,
    empty_queues,
    rabbitmq_alone,
    valkey_only,
    without_rabbitmq,
)
from tests.concurrency.workers import (
    Inbox,
    PurgingPublisher,
    database_url,
    email,
    is_done,
    open_inbox,
    picture,
    running_worker,
)
from tests.live import wait_until
from tests.project.gateway import Gateway, gateway_to
from tests.time_bounds import stretched

# Only these tables are emptied after each test: all of the shop's would take a second.
pytestmark = [
    rabbitmq_alone,
    pytest.mark.django_db(
        transaction=True,
        available_apps=["project", "notifications", "media_jobs", "django_celery_results"],
    ),
]

HOST = socket.gethostname()


@pytest.fixture(scope="module")
def inbox() -> Iterator[Inbox]:
    with open_inbox() as inbox:
        yield inbox


@pytest.fixture(
    scope="module",
    params=[
        "valkey",
        pytest.param("rabbitmq", marks=[pytest.mark.broker, without_rabbitmq]),
    ],
)
def broker(request: pytest.FixtureRequest) -> Iterator[str]:
    """The broker's URL."""
    url = {"valkey": VALKEY, "rabbitmq": RABBITMQ}[request.param]
    with empty_queues(url):
        yield url


@pytest.fixture(scope="module")
def gateway(broker: str) -> Iterator[Gateway]:
    """The workers' way to the broker."""
    with gateway_to(broker) as between:
        yield between


@pytest.fixture(scope="module")
def start(
    django_db_setup: None,
    gateway: Gateway,
    inbox: Inbox,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Any]:
    """Call it for a context in which a worker runs on the test's database and broker."""
    folder: Path = tmp_path_factory.mktemp("worker")
    environment = {
        "DATABASE_URL": database_url(),
        "CELERY_BROKER_URL": gateway.url,
        "EMAIL_URL": inbox.url,
        "MEDIA_STORAGE": str(folder / "media"),
    }

    def run(name: str, **changes: Any) -> Any:
        return running_worker(name, environment=environment, log=folder / f"{name}.log", **changes)

    return run


@pytest.fixture(scope="module")
def workers(start: Callable[..., Any]) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(start(name)) for name in ("notify", "media")}


@pytest.fixture
def publisher(broker: str, workers: Any) -> Iterator[PurgingPublisher]:
    """A publisher of our own, with empty queues; the workers are there, or soon will be."""
    with closing(PurgingPublisher(application(broker))) as publisher:
        for queue in ("notify", "media", "control"):
            publisher.empty(queue)
        yield publisher


def deliver(publisher: Publisher, job: Job, *, times: int) -> None:
    """Publish the job so often, and return when all messages have been worked on."""
    for _ in range(times):
        publisher.publish(type(job), job.pk)
    wait_until(lambda: is_done(job), seconds=stretched(30), what=f"{job} is done")
    # A job behind them: a queue is worked on in order, but for its last few messages.
    marker = email() if isinstance(job, Notification) else picture()
    publisher.publish(type(marker), marker.pk)
    wait_until(lambda: is_done(marker), seconds=stretched(30), what="the queue was worked on")
    wait_until(lambda: publisher.queue_length(job.queue) == 0, seconds=stretched(30))


def test_workers_of_both_pools_leave_heartbeats(publisher: Publisher) -> None:
    for name in ("notify", "media"):
        beats = Heartbeat.objects.filter(name__startswith=f"{name}@{HOST}:")
        wait_until(beats.exists, seconds=stretched(30), what=name)


def test_an_email_that_is_delivered_five_times_is_sent_once(
    publisher: Publisher, inbox: Inbox
) -> None:
    job = email()

    deliver(publisher, job, times=5)

    assert inbox.copies(job) == 1
    assert (job.attempts, job.lost) == (1, 0)


@valkey_only
def test_a_picture_that_is_delivered_five_times_is_drawn_once(publisher: Publisher) -> None:
    job = picture()

    deliver(publisher, job, times=5)

    assert job.attempts == 1
    assert Rendition.objects.filter(job=job).count() == 1


@valkey_only
def test_control_without_the_claim_it_is_sent_more_often(
    start: Callable[..., Any], broker: str, inbox: Inbox
) -> None:
    job = email()
    for _ in range(5):
        application(broker).send_task(job.task, args=[str(job.pk)], queue="control")

    with start("notify", application="tests.concurrency.without_claim", queue="control"):
        wait_until(lambda: inbox.copies(job) > 1, seconds=stretched(30))


@valkey_only
@pytest.mark.parametrize("make", [email, picture])
def test_celerys_result_has_the_jobs_id_and_no_duplicate_overwrites_it(
    publisher: Publisher, make: Callable[[], Job]
) -> None:
    job = make()
    deliver(publisher, job, times=1)
    wait_until(lambda: TaskResult.objects.filter(task_id=job.pk).exists(), seconds=stretched(10))
    first = TaskResult.objects.filter(task_id=job.pk).values().get()

    deliver(publisher, job, times=3)

    assert first["status"] == "SUCCESS"
    assert first["task_name"] == type(job).task
    assert TaskResult.objects.filter(task_id=job.pk).values().get() == first


@valkey_only
def test_a_refused_email_has_its_reason_on_the_row_and_in_celerys_result(
    publisher: Publisher,
) -> None:
    job = email()
    job.recipient = "nobody@example.org"
    job.save()

    publisher.publish(Notification, job.pk)

    wait_until(lambda: TaskResult.objects.filter(task_id=job.pk).exists(), seconds=stretched(10))
    job.refresh_from_db()
    result = TaskResult.objects.get(task_id=job.pk)
    assert job.status == Status.FAILED
    assert result.status == "FAILURE"
    assert job.error in result.result


@valkey_only
def test_a_media_worker_whose_process_is_killed_works_on_in_a_new_one(
    publisher: Publisher, workers: dict[str, subprocess.Popen[bytes]]
) -> None:
    children = set(children_of(workers["media"].pid))

    for child in children:
        os.kill(child, signal.SIGKILL)
    wait_until(
        lambda: len(set(children_of(workers["media"].pid)) - children) == len(children),
        seconds=stretched(15),
    )
    job = picture()
    publisher.publish(MediaJob, job.pk)

    wait_until(lambda: is_done(job), seconds=stretched(30))
    Heartbeat.objects.all().delete()
    mine = Heartbeat.objects.filter(name__startswith=f"media@{HOST}:")
    wait_until(mine.exists, seconds=stretched(15))


def test_workers_take_jobs_again_when_their_broker_is_back(
    publisher: Publisher, gateway: Gateway
) -> None:
    gateway.cut()
    wait_until(lambda: not gateway.ends, seconds=stretched(5))
    # Once the broker answers this, it has seen the ends too. Before, Valkey may still hand a
    # message to a worker that is cut off, where it is lost; the relay would ring again.
    publisher.queue_length("notify")
    message, image = email(), picture()
    publisher.publish(Notification, message.pk)
    publisher.publish(MediaJob, image.pk)
    Heartbeat.objects.update(seen_at=Now())
    gateway.mend()

    wait_until(lambda: is_done(message) and is_done(image), seconds=stretched(30))


@valkey_only
def test_a_picture_that_outlasts_its_workers_stop_is_released(
    start: Callable[..., Any], broker: str
) -> None:
    job = picture()
    application(broker).send_task(job.task, args=[str(job.pk)], queue="control")

    with start("media", application="tests.concurrency.long_pictures", queue="control"):
        wait_until(lambda: has_status(job, Status.RUNNING), seconds=stretched(30))

    wait_until(lambda: has_status(job, Status.QUEUED), seconds=stretched(5))
    assert (job.attempts, job.lost) == (0, 0)


def has_status(job: Job, status: Status) -> bool:
    job.refresh_from_db()
    return job.status == status


def children_of(pid: int) -> list[int]:
    """The worker's own children: those of its process, or of the `nice` that became it."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]
