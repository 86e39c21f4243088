"""A shopper's file is decoded once before it can be ordered, and the reason against it is true."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from media_jobs.models import MediaJob
from media_jobs.outbox import check_job
from media_jobs.tasks import process
from project.jobs.dispatch import ring
from project.jobs.errors import TransientError
from project.jobs.queryset import Status
from tests.media_jobs.films import film
from tests.media_jobs.originals import camera_jpeg, photo, saved
from tests.media_jobs.stored import files_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]
NAME = "private/uploads/2026/01/31/file"


def queued(content: bytes, *, is_video: bool = False, language: str = "en") -> MediaJob:
    name = default_storage.save(NAME, ContentFile(content))
    job = check_job(token=uuid4(), file=name, is_video=is_video, name="ada.jpg", language=language)
    job.save()
    return job


def refusal_of(job: MediaJob) -> str:
    process(str(job.pk))
    job.refresh_from_db()
    assert (job.status, job.progress) == (Status.DONE, 100)
    assert job.result is not None
    return str(job.result["refusal"])


def test_a_good_picture_is_usable_and_nothing_is_made_of_it() -> None:
    assert refusal_of(queued(camera_jpeg(6))) == ""

    assert {name.rpartition("/")[0] for name in files_of("")} == {NAME.rpartition("/")[0]}


def test_a_good_film_is_usable(tmp_path: Path) -> None:
    content = film(tmp_path / "film.mp4", seconds=1, size="320x180").read_bytes()

    assert refusal_of(queued(content, is_video=True)) == ""


def twelve_bits() -> bytes:
    data = bytearray(saved(photo(), "JPEG"))
    data[data.index(b"\xff\xc0") + 4] = 12
    return bytes(data)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (camera_jpeg(1)[:2000], "The picture is damaged or cut short."),
        (twelve_bits(), "a kind of JPEG that can't be read here"),
        (b"no picture at all", "This file can't be used. Choose a picture (JPEG, PNG, WebP"),
        (camera_jpeg(1) + bytes(25_000_000), "at most 25 MB can be used"),
    ],
    ids=["damaged", "a kind of JPEG", "no picture", "too large"],
)
def test_each_reason_is_a_sentence_of_its_own(content: bytes, reason: str) -> None:
    assert reason in refusal_of(queued(content))


def test_it_is_told_in_the_shoppers_language() -> None:
    data = camera_jpeg(1)

    assert "损坏" in refusal_of(queued(data[: len(data) // 2], language="zh-hans"))


def test_a_picture_that_the_printer_could_not_have_is_refused(settings: Any) -> None:
    settings.WORKER_MEMORY_MB = 40

    assert "1200 × 1200 pixels" in refusal_of(queued(saved(Image.new("RGB", (1200, 1200)), "PNG")))


@pytest.mark.parametrize(
    ("error", "reason"),
    [(MemoryError(), "needs more memory"), (SoftTimeLimitExceeded(), "too complex")],
)
def test_what_this_machine_cant_do_is_said_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, reason: str
) -> None:
    def fail(*_args: Any) -> None:
        raise error

    monkeypatch.setattr("media_jobs.checking.decoded", fail)

    assert reason in refusal_of(queued(saved(photo(), "PNG")))


def test_a_storage_that_is_away_is_no_verdict() -> None:
    job = queued(camera_jpeg(1))
    default_storage.delete(job.context["file"])

    with pytest.raises(TransientError):
        process(str(job.pk))

    job.refresh_from_db()
    assert (job.status, job.result) == (Status.QUEUED, None)


def test_a_check_is_rung_before_the_catalogues_pictures() -> None:
    for number in range(6):
        MediaJob.objects.create(kind="renditions", source=f"asset:{number}", recipe="product")
    check = queued(camera_jpeg(1))

    assert ring(MediaJob, limit=1) == [check.pk]
