"""A worker that is killed on RabbitMQ: as in test_worker_deaths.py, on the other broker."""

import signal
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models.functions import Now

from notifications.models import Notification
from project.jobs.model import Job
from project.jobs.queryset import Status
from tests.brokers import RABBITMQ, application, empty_queues, rabbitmq_alone, without_rabbitmq
from tests.concurrency.workers import Inbox
from tests.faults.supervised_workers import SECONDS, comes_to, message_to, turned_by_the_test
from tests.live import wait_until

pytestmark = [
    rabbitmq_alone,
    pytest.mark.broker,
    without_rabbitmq,
    pytest.mark.django_db(
        transaction=True,
        available_apps=["project", "notifications", "media_jobs", "django_celery_results"],
    ),
]


def test_what_a_killed_worker_was_sending_and_what_it_had_popped_is_done_once(
    start: Callable[..., Any], inbox: Inbox
) -> None:
    with (
        empty_queues(RABBITMQ),
        start("notify", broker=RABBITMQ) as worker,
        turned_by_the_test(application(RABBITMQ)) as relay,
    ):
        sending = message_to("hangs")
        comes_to(relay, sending, Status.RUNNING)
        worker.process.send_signal(signal.SIGSTOP)
        waiting = message_to("zoe")
        relay.tick()
        worker.process.kill()

        wait_until(lambda: not held(sending), seconds=SECONDS, what="its lease is over")
        sending.refresh_from_db()
        assert sending.status == Status.RUNNING, "control: without another ring it is left"
        comes_to(relay, sending, Status.DONE)
        comes_to(relay, waiting, Status.DONE)

    assert (sending.attempts, sending.lost, sending.maybe_duplicate) == (2, 1, True)
    assert (waiting.attempts, waiting.lost) == (1, 0)
    assert inbox.copies(sending) == inbox.copies(waiting) == 1


def held(job: Job) -> bool:
    return Notification.objects.filter(pk=job.pk, lease_until__gt=Now()).exists()
