"""A film at a real media worker: its progress is there to read, and a cancel ends it at once."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from media_jobs.assets import store_asset
from media_jobs.models import MediaJob, Rendition
from media_jobs.outbox import queue_renditions
from project.jobs.queryset import Status
from tests.brokers import VALKEY, application, empty_queues
from tests.concurrency.sockets import family
from tests.concurrency.workers import database_url, is_done, picture, running_worker
from tests.live import wait_until
from tests.media_jobs.films import film
from tests.media_jobs.stored import files_of
from tests.time_bounds import stretched

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.django_db(
        transaction=True, available_apps=["project", "media_jobs", "django_celery_results"]
    ),
]


@pytest.fixture(scope="module")
def long_film(tmp_path_factory) -> bytes:
    path = film(tmp_path_factory.mktemp("film") / "long.mp4", seconds=60, size="1280x720")
    return path.read_bytes()


@pytest.fixture
def worker(settings, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A media worker as `bin/up` starts it, with the test's database and media folder."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    environment = {
        "DATABASE_URL": database_url(),
        "CELERY_BROKER_URL": VALKEY,
        "MEDIA_STORAGE": settings.MEDIA_ROOT,
    }
    with (
        empty_queues(VALKEY),
        running_worker("media", environment=environment, log=tmp_path / "log") as process,
    ):
        yield process


def rung(job: MediaJob) -> MediaJob:
    """Ring a worker for the job, as the relay does."""
    application(VALKEY).send_task(job.task, args=[str(job.pk)], queue="media")
    return job


def film_job(data: bytes) -> MediaJob:
    return rung(queue_renditions(store_asset(ContentFile(data), name="Film")))


def progress_of(job: MediaJob) -> int:
    job.refresh_from_db()
    return job.progress


def ffmpegs(worker: subprocess.Popen[bytes]) -> set[int]:
    """The living ffmpeg processes that encode for this worker."""
    found = set()
    for pid in family(worker.pid):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended
        if b"ffmpeg" in Path(os.fsdecode(command[0])).name.encode() and b"-progress" in command:
            found.add(pid)
    return found


def test_a_film_is_made_with_progress_in_per_cent(
    worker: subprocess.Popen[bytes], long_film: bytes
) -> None:
    job, seen = film_job(long_film), set()

    def has_ended() -> bool:
        seen.add(progress_of(job))
        return job.status not in (Status.QUEUED, Status.RUNNING)

    wait_until(has_ended, seconds=300, what="the film")

    assert (job.status, job.error) == (Status.DONE, "")
    assert len({percent for percent in seen if 5 < percent < 95}) >= 5
    assert Rendition.objects.get(job=job, name="720p").seconds == pytest.approx(60, abs=0.5)


def test_a_film_that_is_cancelled_ends_at_once_and_its_worker_lives_on(
    worker: subprocess.Popen[bytes], long_film: bytes
) -> None:
    job = film_job(long_film)
    wait_until(lambda: progress_of(job) > 5, seconds=120, what="the film is encoded")
    running_video = ffmpegs(worker)

    began = time.monotonic()
    MediaJob.objects.filter(pk=job.pk).cancel()
    wait_until(lambda: not running_video & ffmpegs(worker), seconds=30, what="ffmpeg has ended")
    took = time.monotonic() - began

    assert len(running_video) == 1
    assert took < stretched(1.5)
    wait_until(lambda: files_of() == set(), seconds=30, what="nothing is left")
    job.refresh_from_db()
    assert job.status == Status.CANCELLED
    assert not Rendition.objects.exists()
    after = rung(picture())
    wait_until(lambda: is_done(after), seconds=60, what="the worker lives on")
