"""A disk without room for what a picture becomes: a real one, of two megabytes."""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from media_jobs.assets import store_asset
from media_jobs.models import Asset, MediaJob
from media_jobs.outbox import queue_renditions
from media_jobs.tasks import process
from orders.models import Upload
from project.jobs.errors import JobError
from project.jobs.queryset import Status
from tests.media_jobs.originals import photo, saved

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def writers_end_with_the_test() -> None:
    """None starts: no order is placed here."""


@pytest.fixture
def small_disk(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """Where media lie in this test: two megabytes, as only root may have them."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    settings.MEDIA_ROOT = str(disk)
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Take all the room that is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return filler


def product_job() -> MediaJob:
    return queue_renditions(store_asset(ContentFile(saved(photo(), "JPEG")), name="Photo"))


def content_of(asset: Asset) -> bytes:
    with asset.file.open("rb") as file:
        return bytes(file.read())


def attempt(job: MediaJob) -> MediaJob:
    with suppress(JobError):
        process(str(job.pk))
    job.refresh_from_db()
    return job


def renditions_on(disk: Path) -> list[Path]:
    return [path for path in (disk / "renditions").rglob("*") if path.is_file()]


def test_a_full_disk_fails_the_job_keeps_the_original_and_a_retry_by_hand_does_it(
    small_disk: Path,
) -> None:
    job = product_job()
    original = content_of(Asset.objects.get())
    filler = fill(small_disk)

    failed = attempt(job)

    assert (failed.status, failed.attempts) == (Status.FAILED, 1)
    assert "The storage is full" in failed.error
    assert "No space left on device" in failed.error
    assert not renditions_on(small_disk)
    assert content_of(Asset.objects.get()) == original

    filler.unlink()
    assert MediaJob.objects.filter(pk=job.pk).retry_failed() == 1

    done = attempt(job)
    assert (done.status, done.error) == (Status.DONE, "")
    assert len(renditions_on(small_disk)) == done.renditions.count() > 0


def test_who_hands_something_in_while_the_disk_is_full_is_told_to_come_back(
    small_disk: Path,
) -> None:
    filler = fill(small_disk)
    picture = saved(photo(), "JPEG")
    client = Client(raise_request_exception=False)

    refused = client.post("/api/v1/uploads", {"file": SimpleUploadedFile("ada.jpg", picture)})

    assert (refused.status_code, refused.json()["code"]) == (503, "busy")
    assert not Upload.objects.exists()

    filler.unlink()
    taken = client.post("/api/v1/uploads", {"file": SimpleUploadedFile("ada.jpg", picture)})

    assert taken.status_code == 201, "control"


def test_control_the_small_disk_has_room_for_one_product(small_disk: Path) -> None:
    assert attempt(product_job()).status == Status.DONE
