"""An announcement whose workers are killed half way: everybody gets it, once."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models.functions import Now

from notifications.models import Notification
from orders.announcements import messages, plan, send_announcements
from orders.models import Announcement, DeskJob
from project.celery import app
from project.job_queue import OPEN, Status
from project.local_shop import WORKERS
from project.relay import Relay
from tests.concurrency.workers import Ringing, database_url, open_inbox, running_relay
from tests.faults.test_worker_deaths import Supervised
from tests.live import wait_until
from tests.orders.readers import draft, subscribe

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("live"),
    pytest.mark.django_db(transaction=True),
]


@contextmanager
def worker(
    name: str, *, folder: Path, email_url: str = "smtp://127.0.0.1:9", application: str = "project"
) -> Iterator[Supervised]:
    """Run one of `bin/up`'s workers, started again whenever it dies."""
    argv = [*next(service for service in WORKERS if service.name == name).argv]
    argv[argv.index("-A") + 1] = application
    environment = {
        "DATABASE_URL": database_url(),
        "CELERY_BROKER_URL": os.environ["CELERY_BROKER_URL"],
        "EMAIL_URL": email_url,
        "DIED": str(folder / "died"),
    }
    running = Supervised(argv, environment=environment, log=folder / f"{name}.log")
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(autouse=True)
def empty_queues() -> None:
    with closing(Ringing(app)) as ringing:
        for queue in ("notify", "default"):
            ringing.empty(queue)


def begin(count: int) -> Announcement:
    subscribe(count)
    announcement = draft()
    plan(announcement.pk, at=None, user_id=None)
    send_announcements()
    return announcement


def end_leases_of_the_dead() -> None:
    DeskJob.objects.filter(status=Status.RUNNING).update(
        lease_until=Now() - timedelta(seconds=1), ring_after=Now()
    )


def test_a_worker_killed_while_it_queues_300_messages_is_followed_by_one_that_queues_the_rest(
    tmp_path: Path,
) -> None:
    announcement = begin(300)
    relay = Relay(app)

    with worker("default", folder=tmp_path, application="tests.faults.dying_fan_out"):

        def killed() -> bool:
            relay.tick()
            return (tmp_path / "died").exists()

        wait_until(killed, seconds=60)
        assert messages(announcement).count() == 200
        end_leases_of_the_dead()

        def is_done() -> bool:
            relay.tick()
            return DeskJob.objects.filter(status=Status.DONE).exists()

        wait_until(is_done, seconds=60)
    relay.doorbell.hang_up()

    job = DeskJob.objects.get()
    assert (job.result, job.lost) == ({"recipients": 300, "stopped": False}, 1)
    recipients = list(messages(announcement).values_list("recipient", flat=True))
    assert (len(recipients), len(set(recipients))) == (300, 300)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_10_000_customers_get_it_once_though_the_sender_is_killed_twice(tmp_path: Path) -> None:
    announcement = begin(10_000)
    kills = 2

    with (
        open_inbox() as inbox,
        worker("default", folder=tmp_path),
        worker("notify", folder=tmp_path, email_url=inbox.url) as sender,
        running_relay(Relay(app)),
    ):
        for kill in range(kills):
            wait_until(lambda: len(inbox.messages) > 2_500 * (kill + 1), seconds=300)  # noqa: B023
            sender.process.kill()
        wait_until(
            lambda: (
                Announcement.objects.get().queued_at
                and not messages(announcement).filter(status__in=OPEN).exists()
            ),
            seconds=600,
        )

    copies = Counter(str(message["To"]) for message in inbox.messages)
    doubled = {address for address, count in copies.items() if count > 1}
    marked = set(
        Notification.objects.filter(maybe_duplicate=True).values_list("recipient", flat=True)
    )
    assert set(messages(announcement).values_list("status", flat=True)) == {Status.DONE}
    assert len(copies) == 10_000
    assert doubled <= marked
    assert len(marked) <= kills * 8  # as many as a worker has threads
