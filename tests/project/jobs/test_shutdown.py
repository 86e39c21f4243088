"""The jobs that run when a process stops: released as if it had never been claimed."""

import pytest

from notifications.handler import NotificationHandler
from notifications.models import Notification
from project.jobs.queryset import Status
from project.jobs.run import run_job
from project.jobs.shutdown import release_unfinished, released_on_shutdown
from tests.project.jobs.rows import claimed, queue, row

pytestmark = pytest.mark.django_db


def test_a_job_that_is_released_is_as_if_never_claimed() -> None:
    job = claimed()

    assert Notification.objects.release(job)

    after = row(job)
    assert (after.status, after.attempts, after.lost) == (Status.QUEUED, 0, 0)
    assert Notification.objects.claim(job.pk) is not None, "it is ready at once"


def test_a_job_that_somebody_else_has_by_now_is_not_released() -> None:
    job = claimed()
    Notification.objects.filter(pk=job.pk).update(status=Status.DONE, token=None, lease_until=None)

    assert not Notification.objects.release(job)

    assert row(job).status == Status.DONE


def test_a_pools_process_that_is_told_to_end_releases_its_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def end(handler: NotificationHandler, job: Notification) -> None:
        raise SystemExit

    monkeypatch.setattr(NotificationHandler, "perform", end)
    job = queue()

    with pytest.raises(SystemExit):
        run_job(Notification, job.pk)

    after = row(job)
    assert (after.status, after.attempts, after.maybe_duplicate) == (Status.QUEUED, 0, True)


def test_giving_up_releases_the_jobs_that_run_and_ends_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    codes: list[int] = []
    monkeypatch.setattr("os._exit", codes.append)
    released: list[str] = []
    with released_on_shutdown(lambda: released.append("finished"), what="finished"):
        pass

    with released_on_shutdown(lambda: released.append("unfinished"), what="unfinished"):
        release_unfinished()

    assert released == ["unfinished"]
    assert codes == [0]


def test_without_a_running_job_the_process_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr("os._exit", codes.append)

    release_unfinished()

    assert codes == []
