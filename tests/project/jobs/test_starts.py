"""How soon jobs start once they are rung."""

import time
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from media_jobs.models import MediaJob
from project.jobs import starts
from project.jobs.starts import WATCHED, Starts

pytestmark = pytest.mark.django_db


def job(**values: object) -> MediaJob:
    return MediaJob.objects.create(kind="k", source="s", recipe=f"r{time.monotonic_ns()}", **values)


def started(job: MediaJob, *, ago: float) -> None:
    MediaJob.objects.filter(pk=job.pk).update(started_at=Now() - timedelta(seconds=ago))


def test_the_median_of_those_that_started_is_told() -> None:
    jobs, watch = [job(), job(), job()], Starts()
    watch.note(MediaJob, [each.pk for each in jobs], at=time.monotonic() - 10)
    assert watch.look() == {}

    for each, ago in zip(jobs, (9, 7, 2), strict=True):
        started(each, ago=ago)

    assert watch.look() == {"media": pytest.approx(3, abs=0.5)}


def test_the_start_of_an_attempt_before_the_ring_is_none() -> None:
    again, watch = job(), Starts()
    started(again, ago=60)
    watch.note(MediaJob, [again.pk], at=time.monotonic() - 10)

    assert watch.look() == {}


def test_a_job_that_never_starts_counts_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starts, "FORGOTTEN_AFTER", timedelta(seconds=5))
    watch = Starts()
    watch.note(MediaJob, [job().pk], at=time.monotonic() - 10)

    assert watch.look() == {"media": pytest.approx(10, abs=0.5)}


def test_few_are_watched_however_many_are_rung() -> None:
    watch = Starts()
    watch.note(MediaJob, [job().pk for _each in range(WATCHED + 5)], at=time.monotonic())

    assert len(watch._rung[MediaJob]) == WATCHED
