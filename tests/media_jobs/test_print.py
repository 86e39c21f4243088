"""Print files of a shopper's picture or video, read back from the files."""

from contextlib import suppress
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from media_jobs.handler import MediaJobHandler
from media_jobs.models import MediaJob, Rendition
from media_jobs.outbox import print_job
from media_jobs.tasks import process
from project.jobs.errors import JobError
from project.jobs.queryset import Status
from tests.media_jobs.films import film
from tests.media_jobs.originals import camera_jpeg
from tests.media_jobs.stored import files_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]


def printed(content: bytes, *, name: str, is_video: bool = False) -> MediaJob:
    """Return the job of such an upload after a worker was at it."""
    path = default_storage.save(f"private/uploads/2026/01/31/{name}", ContentFile(content))
    job = print_job(
        order_id=uuid4(), token=uuid4(), file=path, sha256="0", is_video=is_video, context={}
    )
    job.save()
    with suppress(JobError):  # the row says it
        process(str(job.pk))
    job.refresh_from_db()
    return job


def made(job: MediaJob) -> dict[str, Rendition]:
    return {str(rendition): rendition for rendition in job.renditions.all()}


def read(rendition: Rendition) -> Image.Image:
    with rendition.file.open("rb") as file:
        return Image.open(BytesIO(file.read()))


def test_a_picture_becomes_a_print_file_with_all_its_pixels_and_a_marked_preview() -> None:
    job = printed(camera_jpeg(6, 2400, 1800), name="photo.jpg")

    files = made(job)
    assert job.status == Status.DONE, job.error
    assert set(files) == {
        "print.jpeg",
        "preview.webp",
        "preview.jpeg",
        "thumbnail.webp",
        "thumbnail.jpeg",
    }
    picture = read(files["print.jpeg"])
    assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (2400, 1800))
    assert not picture.getexif()
    assert read(files["preview.jpeg"]).size == (1000, 750)
    assert read(files["thumbnail.jpeg"]).size == (240, 240)


def test_the_preview_alone_has_the_shops_mark() -> None:
    grey = Image.new("RGB", (2000, 1500), (128, 128, 128))
    buffer = BytesIO()
    grey.save(buffer, "PNG")

    files = made(printed(buffer.getvalue(), name="grey.png"))

    def is_plain(name: str) -> bool:
        return all(high - low < 8 for low, high in read(files[name]).convert("RGB").getextrema())

    assert is_plain("print.jpeg")
    assert not is_plain("preview.jpeg")


@pytest.mark.quick_in_bucket
def test_its_files_are_private_and_go_with_the_job() -> None:
    job = printed(camera_jpeg(1), name="photo.jpg")
    assert all(file.file.name.startswith("private/renditions/") for file in made(job).values())

    MediaJobHandler().delete([job.pk])

    assert files_of("private") == {"private/uploads/2026/01/31/photo.jpg"}


def test_a_damaged_picture_fails_with_a_sentence() -> None:
    whole = camera_jpeg(1)

    job = printed(whole[: len(whole) // 2], name="half.jpg")

    assert job.status == Status.FAILED
    assert job.error.startswith("The picture is damaged or cut short.")


def test_a_video_becomes_an_unmarked_mp4_and_a_small_preview(tmp_path: Path) -> None:
    original = film(tmp_path / "film.mp4", seconds=2, size="640x360").read_bytes()

    job = printed(original, name="film.mp4", is_video=True)

    files = made(job)
    assert job.status == Status.DONE, job.error
    assert set(files) == {
        *("preview.webp", "preview.jpeg", "thumbnail.webp", "thumbnail.jpeg"),
        *("preview.mp4", "print.mp4"),
    }
    # Of one size here, and yet two files: the printer's has no mark.
    assert (files["print.mp4"].width, files["print.mp4"].height) == (640, 360)
    assert files["print.mp4"].seconds == pytest.approx(2, abs=0.3)
    assert files["print.mp4"].size != files["preview.mp4"].size
