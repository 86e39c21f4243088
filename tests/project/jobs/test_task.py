"""The Celery task of jobs: a message may name several, and each has an end of its own."""

import threading
from typing import Any

import pytest
from celery.exceptions import Ignore
from django_celery_results.models import TaskResult

from notifications.handler import NotificationHandler
from notifications.models import Notification
from notifications.tasks import send
from project.jobs import shutdown
from project.jobs.errors import PermanentError
from project.jobs.queryset import Status
from tests.project.jobs.rows import queue, row

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call it as a worker calls the task: with a request, whose results are kept."""

    def run(*jobs: Notification) -> Any:
        ids = [str(job.pk) for job in jobs]
        send.push_request(
            id=ids[0], args=ids, hostname="notify@host", called_directly=False, is_eager=False
        )
        try:
            return send.run(*ids)
        finally:
            send.pop_request()

    return run


@pytest.fixture(autouse=True)
def work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages to `nobody` are refused, to `broken` break; after one to `stop` it stops."""

    def perform(handler: NotificationHandler, job: Notification) -> dict[str, Any]:
        if job.recipient.startswith("nobody"):
            raise PermanentError("no such user")
        if job.recipient.startswith("broken"):
            raise RuntimeError("a bug")
        if job.recipient.startswith("stop"):
            monkeypatch.setattr("project.jobs.task.is_stopping", lambda: True)
        return {"answer": "250 OK"}

    monkeypatch.setattr(NotificationHandler, "perform", perform)


def test_each_job_of_a_message_ends_in_its_own_way(worker: Any) -> None:
    refused, broken, taken, last = (
        queue(recipient=f"{name}@example.org") for name in ("nobody", "broken", "ada", "ada")
    )
    Notification.objects.claim(taken.pk)

    worker(refused, broken, taken, last)

    ends = [row(job).status for job in (refused, broken, taken, last)]
    assert ends == [Status.FAILED, Status.QUEUED, Status.RUNNING, Status.DONE]
    results = dict(TaskResult.objects.values_list("task_id", "status"))
    assert results == {
        str(refused.pk): "FAILURE",
        str(broken.pk): "FAILURE",
        str(last.pk): "SUCCESS",
    }


def test_a_process_that_stops_begins_no_further_job_of_its_message(worker: Any) -> None:
    last, left = queue(recipient="stop@example.org", rings=1), queue(rings=1)

    worker(last, left)

    assert row(last).status == Status.DONE
    assert (row(left).status, row(left).rings, row(left).attempts) == (Status.QUEUED, 0, 0)


def test_a_message_about_one_job_says_how_it_ended(worker: Any) -> None:
    refused, done, taken = queue(recipient="nobody@example.org"), queue(), queue()
    Notification.objects.claim(taken.pk)

    assert worker(done) == {"answer": "250 OK"}
    with pytest.raises(PermanentError):
        worker(refused)
    with pytest.raises(Ignore):
        worker(taken)


def test_a_process_is_stopping_from_the_first_signal_until_its_stop_is_called_off() -> None:
    assert not shutdown.is_stopping()

    timer: threading.Timer = shutdown.limit_shutdown()

    assert shutdown.is_stopping()
    timer.cancel()
    timer.join()
    assert not shutdown.is_stopping()
