"""One film at a time, and pictures beside it."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now

from media_jobs import video_slot
from media_jobs.handler import MediaJobHandler
from media_jobs.models import MediaJob
from media_jobs.outbox import AT_ONCE
from project.jobs.dispatch import ring
from project.jobs.queryset import Status
from project.jobs.run import claim
from project.models import Heartbeat


def film() -> MediaJob:
    return MediaJob.objects.create(
        kind="renditions", source=f"asset:{uuid4()}", recipe="product_video"
    )


def picture() -> MediaJob:
    return MediaJob.objects.create(kind="renditions", source=f"asset:{uuid4()}", recipe="product")


@pytest.mark.django_db
def test_a_second_film_is_not_claimed_while_one_is_at_work_but_a_picture_is():
    claim(MediaJob, film().pk)

    assert claim(MediaJob, film().pk) is None
    assert claim(MediaJob, picture().pk) is not None


def check() -> MediaJob:
    return MediaJob.objects.create(
        kind="check", source=f"upload:{uuid4()}", recipe="check_video", ring_after=AT_ONCE
    )


@pytest.mark.django_db
def test_a_shoppers_film_is_checked_beside_one_that_is_encoded_and_beside_no_other_check():
    claim(MediaJob, film().pk)

    assert claim(MediaJob, check().pk) is not None
    assert claim(MediaJob, check().pk) is None
    assert claim(MediaJob, picture().pk) is not None


@pytest.mark.django_db
def test_nobody_is_rung_for_a_check_while_another_is_at_work_but_for_a_film():
    claim(MediaJob, check().pk)
    check()
    other = film()

    assert ring(MediaJob, limit=10) == [other.pk]


@pytest.mark.django_db
def test_a_film_is_claimed_once_the_other_has_ended():
    first, second = claim(MediaJob, film().pk), film()
    assert first is not None
    MediaJob.objects.succeed(first, {})

    assert claim(MediaJob, second.pk) is not None


@pytest.mark.django_db
def test_with_two_workers_two_films_are_at_work_and_twice_as_many_messages_wait():
    for host in ("one", "two"):
        Heartbeat.objects.beat(f"media@{host}:1")
    claim(MediaJob, film().pk)
    second, third = film(), film()

    assert ring(MediaJob, limit=10) == [second.pk, third.pk]
    assert claim(MediaJob, second.pk) is not None
    assert claim(MediaJob, third.pk) is None
    assert MediaJobHandler().window() == 2 * MediaJob.window


@pytest.mark.django_db
def test_a_worker_that_is_gone_adds_no_film(settings):
    for host in ("one", "two"):
        Heartbeat.objects.beat(f"media@{host}:1")
    Heartbeat.objects.filter(name="media@two:1").update(seen_at=Now() - timedelta(minutes=1))

    assert video_slot.videos_at_once() == 1
    settings.MEDIA_VIDEOS_PER_WORKER = 3
    assert video_slot.videos_at_once() == 3


@pytest.mark.django_db
def test_a_film_whose_worker_died_stops_no_other_and_may_be_taken_again():
    dead = claim(MediaJob, film().pk)
    MediaJob.objects.filter(pk=dead.pk).update(lease_until=Now() - timedelta(seconds=1))

    other = claim(MediaJob, film().pk)

    assert other is not None
    assert claim(MediaJob, dead.pk) is None
    MediaJob.objects.succeed(other, {})
    assert claim(MediaJob, dead.pk) is not None


@pytest.mark.django_db
def test_nobody_is_rung_for_a_film_while_one_is_at_work():
    claim(MediaJob, film().pk)
    waiting, short = film(), picture()

    assert ring(MediaJob, limit=10) == [short.pk]

    waiting.refresh_from_db()
    assert waiting.status == Status.QUEUED


@pytest.mark.django_db
def test_a_film_that_waited_is_rung_soon_after_the_other_has_ended():
    running_video, waiting = claim(MediaJob, film().pk), film()
    ring(MediaJob, limit=10)
    assert running_video is not None
    MediaJob.objects.succeed(running_video, {})
    waits = MediaJob.objects.filter(pk=waiting.pk, ring_after__lte=Now() + video_slot.PAUSE)

    assert waits.exists()
    waits.update(ring_after=Now())
    assert ring(MediaJob, limit=10) == [waiting.pk]


def claimed_at_once(monkeypatch) -> list[bool]:
    """Two workers claim two video_slot, both looking for a third before either takes his own."""
    both_look = threading.Barrier(2)
    running_video = video_slot.running_video

    def slowly(slot):
        found = running_video(slot)
        answer = found if found.exists() else found.none()
        with suppress(threading.BrokenBarrierError):
            both_look.wait(timeout=3)  # with the lock, the other can't get here
        return answer

    monkeypatch.setattr(video_slot, "running_video", slowly)
    jobs, won = [film(), film()], []

    def work(job: MediaJob) -> Callable[[], None]:
        def take() -> None:
            try:
                won.append(claim(MediaJob, job.pk) is not None)
            finally:
                connection.close()

        return take

    workers = [threading.Thread(target=work(job)) for job in jobs]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=30)
    return sorted(won)


TABLES = pytest.mark.django_db(transaction=True, available_apps=["project", "media_jobs"])


@TABLES
def test_of_two_workers_that_claim_films_at_once_one_gets_his(monkeypatch):
    assert claimed_at_once(monkeypatch) == [False, True]


@TABLES
def test_control_without_the_lock_both_get_theirs(monkeypatch):
    monkeypatch.setattr(video_slot, "lock_slot", lambda: None)

    assert claimed_at_once(monkeypatch) == [True, True]
