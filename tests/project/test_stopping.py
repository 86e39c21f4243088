"""What is in hand when a process stops: given back as if it had never been claimed."""

import pytest

from notifications.models import Notification
from project.job_queue import Status
from project.job_runs import run_job
from project.stopping import _give_up, in_hand
from tests.project.test_jobs import claimed, queue, row

pytestmark = pytest.mark.django_db


class Work:
    """Some work that counts how often it is given back."""

    def __init__(self) -> None:
        self.times = 0

    def give_back(self) -> None:
        self.times += 1


def test_a_job_that_is_given_back_is_as_if_never_claimed() -> None:
    job = claimed()

    assert Notification.objects.give_back(job)

    after = row(job)
    assert (after.status, after.attempts, after.lost) == (Status.QUEUED, 0, 0)
    assert Notification.objects.claim(job.pk) is not None, "it is ready at once"


def test_a_job_that_somebody_else_has_by_now_is_not_given_back() -> None:
    job = claimed()
    Notification.objects.filter(pk=job.pk).update(status=Status.DONE, token=None, lease_until=None)

    assert not Notification.objects.give_back(job)

    assert row(job).status == Status.DONE


def test_a_pools_process_that_is_told_to_end_gives_its_job_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def end(job: Notification) -> None:
        raise SystemExit

    monkeypatch.setattr(Notification, "perform", end)
    job = queue()

    with pytest.raises(SystemExit):
        run_job(Notification, job.pk)

    after = row(job)
    assert (after.status, after.attempts, after.maybe_duplicate) == (Status.QUEUED, 0, True)


def test_giving_up_gives_back_what_is_in_hand_and_ends_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    codes: list[int] = []
    monkeypatch.setattr("os._exit", codes.append)
    unfinished, finished = Work(), Work()
    with in_hand(finished):
        pass

    with in_hand(unfinished):
        _give_up()

    assert (unfinished.times, finished.times) == (1, 0)
    assert codes == [0]


def test_with_nothing_in_hand_the_process_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr("os._exit", codes.append)

    _give_up()

    assert codes == []
