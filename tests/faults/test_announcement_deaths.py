"""An announcement whose workers are killed half way: each customer gets it, once."""

from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models.functions import Now

from orders.messages.announcements import messages, send_announcements
from orders.models import Announcement, DeskJob
from project.celery import app
from project.jobs.queryset import OPEN, Status
from project.relay import Relay
from tests.concurrency.workers import PurgingPublisher, running_relay
from tests.faults.flaky_smtp import running_flaky_server
from tests.faults.supervised_workers import supervised
from tests.live import wait_until
from tests.orders.readers import draft, plan_as_shown, subscribe

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("live"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture(autouse=True)
def empty_queues() -> None:
    with closing(PurgingPublisher(app)) as publisher:
        for queue in ("notify", "default"):
            publisher.empty(queue)


def begin(count: int) -> Announcement:
    subscribe(count)
    announcement = draft()
    plan_as_shown(announcement)
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

    with supervised(
        "default",
        folder=tmp_path,
        environment={"DIED": str(tmp_path / "died")},
        application="tests.faults.dying_fan_out",
    ):

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
    relay.publisher.close()

    job = DeskJob.objects.get()
    assert (job.result, job.lost) == ({"recipients": 300, "stopped": False}, 1)
    recipients = list(messages(announcement).values_list("recipient", flat=True))
    assert (len(recipients), len(set(recipients))) == (300, 300)


def announce_and_kill(
    count: int,
    *,
    kills: int,
    folder: Path,
    application: str = "project",
    fan_out: str = "project",
    **environment: str,
) -> tuple[Announcement, Counter[str]]:
    """Announce to so many customers, killing the sender on its way; return what each has got."""
    announcement = begin(count)
    done = messages(announcement).filter(status=Status.DONE)
    # It says yes a moment after it has kept a message: whoever is killed then can't know.
    with (
        running_flaky_server(folder, seconds=0.05) as server,
        supervised(
            "default",
            folder=folder,
            environment={"DIED": str(folder / "died")},
            application=fan_out,
        ),
        supervised(
            "notify",
            folder=folder,
            environment={"EMAIL_URL": server.url, **environment},
            application=application,
        ) as sender,
        running_relay(Relay(app)),
    ):
        for kill in range(kills):
            so_many = count * (kill + 1) // (kills + 2)
            wait_until(lambda: done.count() >= so_many, seconds=300)  # noqa: B023
            sender.process.kill()
        wait_until(
            lambda: (
                Announcement.objects.get().queued_at
                and not messages(announcement).filter(status__in=OPEN).exists()
            ),
            seconds=600,
        )
        return announcement, server.copies()


def marked(announcement: Announcement) -> set[str]:
    recipients = messages(announcement).filter(maybe_duplicate=True)
    return set(recipients.values_list("recipient", flat=True))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_10_000_customers_get_it_once_though_the_sender_is_killed_twice(tmp_path: Path) -> None:
    announcement, copies = announce_and_kill(
        10_000, kills=2, folder=tmp_path, fan_out="tests.faults.dying_fan_out"
    )

    assert (tmp_path / "died").exists(), "whoever queued the messages was killed, too"
    assert set(messages(announcement).values_list("status", flat=True)) == {Status.DONE}
    assert len(copies) == 10_000
    doubled = {recipient for recipient, count in copies.items() if count > 1}
    assert doubled, "else nobody was killed at the wrong moment"
    assert doubled <= marked(announcement)
    assert len(marked(announcement)) <= 2 * 8, "a worker has so many threads"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_control_without_the_mark_nobody_would_know_of_the_copies(tmp_path: Path) -> None:
    announcement, copies = announce_and_kill(
        400,
        kills=2,
        folder=tmp_path,
        application="tests.faults.without_guard",
        WITHOUT_GUARD="unmarked",
    )

    assert len(copies) == 400
    assert max(copies.values()) > 1
    assert marked(announcement) == set()
