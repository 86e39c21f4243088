"""A media job from its claim to its files: made once, shown once, nothing left lying about."""

import errno
from uuid import uuid4

import pytest
from celery.exceptions import Ignore
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from media_jobs import processing, recipes, rendition_files
from media_jobs.assets import store_asset
from media_jobs.models import MediaJob, Rendition
from media_jobs.outbox import queue_renditions
from media_jobs.recipes import PRODUCT
from media_jobs.tasks import process
from project.jobs.errors import LostClaimError, NotClaimedError, PermanentError, TransientError
from project.jobs.queryset import Status
from project.jobs.run import run_job
from tests.media_jobs.claims import claimed
from tests.media_jobs.originals import bomb_png, photo, saved
from tests.media_jobs.passes import pass_job
from tests.media_jobs.stored import files_of, shown

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]


def product_job(data: bytes | None = None) -> MediaJob:
    data = data or saved(photo(), "JPEG")
    return queue_renditions(store_asset(ContentFile(data), name="Photo"))


def after_writing(monkeypatch, effect) -> None:
    """Let something happen between a job's work and its settling."""
    work = processing.process

    def process_then(job):
        result = work(job)
        effect(job)
        return result

    monkeypatch.setattr(processing, "process", process_then)


@pytest.mark.quick_in_bucket
def test_a_product_picture_becomes_fifteen_files_under_its_address():
    job = product_job()

    result = process(str(job.pk))

    job.refresh_from_db()
    assert (job.status, job.progress, job.result) == (Status.DONE, 100, result)
    assert {(r.name, r.format) for r in Rendition.objects.all()} == {
        (name, file_format)
        for name in ("card", "card-small", "page", "page-small", "zoom")
        for file_format in ("avif", "webp", "jpeg")
    }
    assert shown() == files_of()
    digest = job.asset.sha256
    address = f"renditions/{digest[:2]}/{digest}/{PRODUCT.hash}/"
    assert all(path.startswith(address) for path in shown())
    for rendition in Rendition.objects.all():
        assert default_storage.size(str(rendition.file.name)) == rendition.size


def test_a_pickup_pass_becomes_a_png():
    job = pass_job()

    process(str(job.pk))

    assert {(r.name, r.format, r.width, r.height) for r in Rendition.objects.filter(job=job)} == {
        ("pass", "png", 1080, 1350),
    }
    assert shown() == files_of()


def test_a_job_delivered_again_makes_nothing_new():
    job = pass_job()
    process(str(job.pk))
    before = files_of(), list(Rendition.objects.values_list("pk", flat=True))

    with pytest.raises(NotClaimedError):
        run_job(MediaJob, job.pk)

    assert (files_of(), list(Rendition.objects.values_list("pk", flat=True))) == before


def test_a_job_run_again_makes_nothing_new(monkeypatch):
    job = product_job()
    process(str(job.pk))
    before = shown(), files_of()
    monkeypatch.setattr(processing, "encode", None)
    MediaJob.objects.all().queue_again()

    process(str(job.pk))

    job.refresh_from_db()
    assert job.status == Status.DONE
    assert (shown(), files_of()) == before


@pytest.mark.parametrize("damage", ["delete", "cut"])
def test_a_job_run_again_replaces_files_that_are_gone_or_cut(damage, pair_job):
    job = pair_job()
    process(str(job.pk))
    before = shown()
    victim = min(before)
    default_storage.delete(victim)
    if damage == "cut":
        default_storage.save(victim, ContentFile(b"cut"))
    MediaJob.objects.all().queue_again()

    process(str(job.pk))

    assert len(shown()) == 2
    assert shown().isdisjoint(before)
    assert shown() == files_of()


@pytest.mark.quick_in_bucket
def test_a_changed_recipe_replaces_the_renditions_and_their_files(monkeypatch, pair_job):
    job = pair_job()
    process(str(job.pk))
    before = shown()
    monkeypatch.setattr("media_jobs.recipes.ENCODERS", recipes.ENCODERS + 1)
    MediaJob.objects.all().queue_again()

    process(str(job.pk))

    assert len(shown()) == 2
    assert shown().isdisjoint(before)
    assert shown() == files_of()


def test_nothing_is_shown_before_the_job_is_finished(monkeypatch, pair_job):
    seen = []
    after_writing(monkeypatch, lambda job: seen.append((shown(), len(files_of()))))

    process(str(pair_job().pk))

    assert seen == [(set(), 2)]


@pytest.mark.quick_in_bucket
def test_a_late_claims_files_are_refused_and_removed(monkeypatch, pair_job):
    job = pair_job()
    after_writing(monkeypatch, lambda job: MediaJob.objects.filter(pk=job.pk).update(token=uuid4()))

    with pytest.raises(LostClaimError):
        run_job(MediaJob, job.pk)
    assert len(files_of()) == 2
    rendition_files.sweep(job.pk)

    assert files_of() == set()
    assert not Rendition.objects.exists()


def test_the_files_of_a_job_that_was_deleted_meanwhile_are_removed(monkeypatch, pair_job):
    """As an erasure deletes it: then no row leads to what the worker writes."""
    job = pair_job()
    after_writing(monkeypatch, lambda job: MediaJob.objects.filter(pk=job.pk).delete())

    with pytest.raises(Ignore):
        process(str(job.pk))

    assert files_of() == set()


def test_a_late_claim_leaves_the_files_of_the_claim_that_won(monkeypatch, pair_job):
    job = pair_job()

    def overtaken(late: MediaJob) -> None:
        monkeypatch.undo_process()
        queue_again_running(late)
        process(str(late.pk))

    def queue_again_running(late: MediaJob) -> None:
        MediaJob.objects.filter(pk=late.pk).update(
            status=Status.QUEUED, token=None, lease_until=None
        )

    work = processing.process
    monkeypatch.undo_process = lambda: monkeypatch.setattr(processing, "process", work)
    after_writing(monkeypatch, overtaken)

    with pytest.raises(LostClaimError):
        run_job(MediaJob, job.pk)
    rendition_files.sweep(job.pk)

    assert len(shown()) == 2
    assert shown() == files_of()


def test_a_sweep_leaves_the_files_of_a_claim_at_work(pair_job):
    job = claimed(pair_job().pk)
    processing.process(job)

    rendition_files.sweep(job.pk)

    assert len(files_of()) == 2


def test_a_claim_that_is_lost_stops_at_its_next_file():
    job = claimed(product_job().pk)
    MediaJob.objects.filter(pk=job.pk).update(token=uuid4())

    with pytest.raises(LostClaimError):
        processing.process(job)

    assert len(files_of()) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (saved(photo(), "JPEG")[:2000], "damaged or cut short"),
        (bomb_png(), "400 megapixels"),
    ],
)
def test_a_bad_original_fails_at_once_with_a_reason_a_shopkeeper_understands(data, reason):
    job = product_job(data)

    with pytest.raises(PermanentError):
        process(str(job.pk))

    job.refresh_from_db()
    assert (job.status, job.attempts) == (Status.FAILED, 1)
    assert reason in job.error
    assert files_of() == set()


def failing_storage(monkeypatch, number: int) -> None:
    """Let the storage fail at the second file."""
    save = default_storage.save
    saved_names: list[str] = []

    def failing(storage, name, content, **options):
        if saved_names:
            raise OSError(number, "as the test wants")
        saved_names.append(name)
        return save(name, content, **options)

    monkeypatch.setattr(default_storage.__class__, "save", failing)


def test_a_full_disk_fails_the_job_with_that_reason_and_leaves_no_file(monkeypatch, pair_job):
    job = pair_job()
    failing_storage(monkeypatch, errno.ENOSPC)

    with pytest.raises(PermanentError):
        process(str(job.pk))

    job.refresh_from_db()
    assert job.status == Status.FAILED
    assert "storage is full" in job.error
    assert files_of() == set()


def test_a_storage_that_is_down_is_tried_again(monkeypatch, pair_job):
    job = pair_job()
    failing_storage(monkeypatch, errno.EIO)

    with pytest.raises(TransientError):
        process(str(job.pk))

    job.refresh_from_db()
    assert job.status == Status.QUEUED
    assert "storage doesn't answer" in job.error
    assert files_of() == set()


@pytest.mark.quick_in_bucket
def test_an_original_that_cannot_be_read_is_tried_again():
    job = product_job()
    default_storage.delete(str(job.asset.file.name))

    with pytest.raises(TransientError):
        process(str(job.pk))

    job.refresh_from_db()
    assert job.status == Status.QUEUED


def test_a_recipe_that_no_longer_exists_fails_with_its_name():
    job = queue_renditions(
        store_asset(ContentFile(saved(photo(), "PNG")), name="x"), recipe="poster"
    )

    with pytest.raises(PermanentError, match="“poster”"):
        process(str(job.pk))


def test_progress_grows_from_file_to_file(monkeypatch):
    job = claimed(product_job().pk)
    seen = []
    set_progress = type(MediaJob.objects).set_progress

    def noted(manager, job, percent):
        seen.append(percent)
        return set_progress(manager, job, percent)

    monkeypatch.setattr(type(MediaJob.objects), "set_progress", noted)

    processing.process(job)

    assert seen == sorted(set(seen))
    assert len(seen) == 15
    assert seen[-1] == 100


def test_an_original_is_never_changed():
    data = saved(photo(), "JPEG")
    job = product_job(data)

    process(str(job.pk))

    with job.asset.file.open("rb") as original:
        assert original.read() == data
