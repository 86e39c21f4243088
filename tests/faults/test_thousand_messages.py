"""A thousand messages by four threads through a mail server that loses its temper.

None is lost. A second copy exists only where the connection died after DATA, where nobody can
know, and whatever could have one is marked.
"""

import os
import secrets
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from notifications.models import Notification
from notifications.outbox import order_messages
from project.celery import app
from project.jobs.queryset import OPEN, Status
from project.relay import Relay
from tests.concurrency.workers import PurgingPublisher, running_relay
from tests.faults.flaky_smtp import DOUBTFUL, FlakyServer, running_flaky_server
from tests.faults.supervised_workers import supervised
from tests.live import wait_until
from tests.notifications.order_context import CONTEXT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("deaths"),
    pytest.mark.timeout(600),
    pytest.mark.django_db(
        transaction=True,
        available_apps=["project", "notifications", "media_jobs", "django_celery_results"],
    ),
]

THREADS = 4


@pytest.fixture(autouse=True)
def empty_queue() -> None:
    with closing(PurgingPublisher(app)) as publisher:
        publisher.empty("notify")


def send_through_flaky_server(
    count: int,
    *,
    folder: Path,
    application: str = "project",
    environment: Mapping[str, str] | None = None,
) -> dict[str, set[str]]:
    """Send so many messages; return what is wrong with the outcome: which recipients, by what."""
    seed = secrets.randbelow(10_000)
    print(f"seed {seed}")  # pytest shows it if the test fails
    with running_flaky_server(folder, seed=seed) as server:
        environment = {
            "CELERY_BROKER_URL": os.environ["CELERY_BROKER_URL"],
            "EMAIL_URL": server.url,
            **(environment or {}),
        }
        write_messages(count)
        with (
            supervised(
                "notify",
                folder=folder,
                environment=environment,
                application=application,
                size=THREADS,
            ),
            running_relay(Relay(app)),
        ):
            wait_until(
                lambda: not Notification.objects.filter(status__in=OPEN).exists(), seconds=500
            )
        return violations(server)


def write_messages(count: int) -> None:
    """Write so many messages, each to a customer of its own."""
    messages = [
        order_messages(
            event="order_placed",
            order_id=uuid4(),
            context=CONTEXT,
            email=f"customer-{number}@example.org",
            phone="",
            language="en",
        )
        for number in range(count)
    ]
    Notification.objects.bulk_create(message for [message] in messages)


def violations(server: FlakyServer) -> dict[str, set[str]]:
    """Return the recipients for whom something is wrong, by the kind of error; empty is right."""
    jobs = {job.recipient: job for job in Notification.objects.all()}
    meetings, copies = server.meetings(), server.copies()
    ids = {(meeting.recipient, meeting.message_id) for meeting in meetings if meeting.message_id}
    doubtful = {meeting.recipient for meeting in meetings if meeting.behaviour in DOUBTFUL}
    marked = {job.recipient for job in jobs.values() if job.maybe_duplicate}
    found = {
        "not done": {to for to, job in jobs.items() if job.status != Status.DONE},
        "lost": set(jobs) - set(copies),
        "a copy without a cause": {to for to, count in copies.items() if count > 1} - doubtful,
        "not marked": doubtful - marked,
        "marked without a cause": marked - doubtful,
        "another id": {to for to, message_id in ids if str(jobs[to].pk) not in message_id},
    }
    return {what: recipients for what, recipients in found.items() if recipients}


def test_1000_messages_arrive_once_but_for_those_marked_whose_connection_died_after_data(
    tmp_path: Path,
) -> None:
    assert send_through_flaky_server(1_000, folder=tmp_path) == {}


@pytest.mark.parametrize(
    ("guard", "violated"), [("unmarked", {"not marked"}), ("trusting", {"lost", "not marked"})]
)
def test_control_without_the_rule_for_doubt_messages_are_lost_or_copies_not_marked(
    guard: str, violated: set[str], tmp_path: Path
) -> None:
    found = send_through_flaky_server(
        200,
        folder=tmp_path,
        application="tests.faults.without_guard",
        environment={"WITHOUT_GUARD": guard},
    )

    assert set(found) == violated
