"""The operator's background work: done, cancelled, killed, retried, pruned."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from celery.exceptions import Ignore
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models.functions import Now
from django.utils import translation

from orders import tasks
from orders.desk_jobs.kinds import IMPORT_PRODUCTS
from orders.desk_jobs.progress import store_progress, store_report
from orders.desk_jobs.queue import queue_desk_job
from orders.imports import run as import_run
from orders.models import DeskJob, Product, Stock
from project.jobs.errors import LostClaimError, NotClaimedError, PermanentError
from project.jobs.handler import KEEP_JOBS
from project.jobs.queryset import Status
from project.jobs.run import run_job
from project.schedule.prune import UnprunedError, prune
from tests.orders.imports.packages import mug, png, table, zipped

APPS = ["project", "notifications", "media_jobs", "orders"]
pytestmark = [
    pytest.mark.django_db(transaction=True, available_apps=APPS),
    pytest.mark.usefixtures("storage"),
]


def package(*rows: dict[str, str]) -> bytes:
    return zipped({"shop/products.csv": table(*rows), "shop/red.png": png("red")})


def queued(data: bytes, *, name: str = "products.zip", dry_run: bool = False) -> DeskJob:
    return queue_desk_job(
        IMPORT_PRODUCTS,
        user_id=None,
        file=ContentFile(data, name="upload"),
        context={"name": name, "dry_run": dry_run},
    )


@pytest.mark.quick_in_bucket
def test_an_import_is_done_with_its_counts_and_its_report() -> None:
    job = queued(package(mug(pictures="red.png"), mug("BAD", price="12,30")))

    result = tasks.work(str(job.pk))

    job.refresh_from_db()
    with job.report.open("rb") as file:
        report = file.read().decode("utf-8-sig")
    assert (job.status, job.progress) == (Status.DONE, 100)
    assert (result["created"], result["refused"], result["pictures"]) == (1, 1, 1)
    assert Product.objects.get().media.count() == 1
    assert report.splitlines() == [
        "row,sku,outcome,detail",
        "2,MUG,created,1 new picture; new category “Kitchen”",
        '3,BAD,refused,"price: write “12.30” instead of “12,30”"',
    ]


def test_a_table_alone_is_imported_too() -> None:
    job = queued(table(mug()), name="products.csv")

    assert tasks.work(str(job.pk))["created"] == 1


def test_a_dry_run_leaves_only_its_report() -> None:
    job = queued(package(mug(pictures="red.png")), dry_run=True)

    result = tasks.work(str(job.pk))

    job.refresh_from_db()
    assert (result["dry_run"], result["created"]) == (True, 1)
    assert job.report
    assert not Product.objects.exists()


def test_the_report_speaks_the_language_of_who_asked() -> None:
    with translation.override("zh-hans"):
        job = queued(package(mug()))

    assert job.context["language"] == "zh-hans"


def test_a_report_can_not_make_a_spreadsheet_calculate() -> None:
    job = queued(package(mug('=HYPERLINK("http://evil")', price="x"), mug("@SUM", price="x")))

    tasks.work(str(job.pk))

    job.refresh_from_db()
    with job.report.open("rb") as file:
        report = file.read().decode("utf-8-sig")
    assert '''"'=HYPERLINK(""http://evil"")"''' in report
    assert "'@SUM" in report


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        (b"no zip", "products.zip", "isn't a zip that can be read"),
        (zipped({"a.png": b""}), "products.zip", "There is no table"),
        (zipped({"../products.csv": b"sku"}), "products.zip", "leads out of it"),
        (b"prise\n1\n", "products.csv", "isn't known"),
    ],
)
def test_what_can_not_be_imported_at_all_fails_at_once(data: bytes, name: str, reason: str) -> None:
    job = queued(data, name=name)

    with pytest.raises(PermanentError, match=reason):
        tasks.work(str(job.pk))

    job.refresh_from_db()
    assert job.status == Status.FAILED
    assert reason in job.error


def test_a_cancelled_import_stops_at_its_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.desk_jobs.progress.PROGRESS_SECONDS", 0)
    monkeypatch.setattr(import_run, "BATCH_ROWS", 1)
    job = queued(package(*(mug(f"SKU-{number}") for number in range(5))))
    take = import_run.CatalogueImport.import_rows

    def cancel_after(catalogue: Any, rows: Any) -> None:
        take(catalogue, rows)
        if Product.objects.count() == 2:
            DeskJob.objects.filter(pk=job.pk).cancel()

    monkeypatch.setattr(import_run.CatalogueImport, "import_rows", cancel_after)

    with pytest.raises(Ignore):
        tasks.work(str(job.pk))

    job.refresh_from_db()
    assert (job.status, bool(job.report)) == (Status.CANCELLED, True)  # of what it did
    assert Product.objects.count() == 2

    monkeypatch.setattr(import_run.CatalogueImport, "import_rows", take)
    assert DeskJob.objects.retry_cancelled() == 1
    result = tasks.work(str(job.pk))
    assert (result["created"], result["unchanged"]) == (3, 2)


def test_a_cancelled_job_that_waits_is_never_begun() -> None:
    job = queued(package(mug()))
    DeskJob.objects.cancel()

    with pytest.raises(NotClaimedError):
        run_job(DeskJob, job.pk)

    assert not Product.objects.exists()


def test_a_late_worker_shows_no_report() -> None:
    job = queued(package(mug()))
    late = DeskJob.objects.claim(job.pk)
    assert isinstance(late, DeskJob)
    assert late is not None
    store_report(late, ContentFile(b"late"), name="report.csv")
    DeskJob.objects.update(lease_until=Now() - timedelta(seconds=1))

    run_job(DeskJob, job.pk)

    job.refresh_from_db()
    assert job.report.name != late.report.name
    with pytest.raises(LostClaimError):
        store_progress(late, 50)


def test_the_report_of_a_late_worker_is_removed_and_the_shown_one_stays() -> None:
    job = queued(package(mug()))
    late = DeskJob.objects.claim(job.pk)
    assert isinstance(late, DeskJob)
    store_report(late, ContentFile(b"late"), name="report.csv")
    DeskJob.objects.update(lease_until=Now() - timedelta(seconds=1))

    tasks.work(str(job.pk))

    job.refresh_from_db()
    assert default_storage.exists(str(job.report.name))
    assert not default_storage.exists(str(late.report.name))


def test_a_report_that_is_being_written_is_no_leftover() -> None:
    job = queued(package(mug()))
    running = DeskJob.objects.claim(job.pk)
    assert isinstance(running, DeskJob)
    store_report(running, ContentFile(b"now"), name="report.csv")

    with pytest.raises(Ignore):
        tasks.work(str(job.pk))  # delivered twice

    assert default_storage.exists(str(running.report.name))


def test_a_job_whose_files_cannot_be_deleted_is_found_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = queued(package(mug()))
    run_job(DeskJob, job.pk)
    job.refresh_from_db()
    DeskJob.objects.update(finished_at=Now() - KEEP_JOBS * 2)
    with monkeypatch.context() as broken:
        broken.setattr("orders.desk_jobs.handler.default_storage.delete", _fail)
        with pytest.raises(UnprunedError, match="desk: OSError"):
            prune()

    assert prune()["desk"] == 1
    assert not default_storage.exists(str(job.report.name))
    assert not default_storage.exists(str(job.file.name))


def _fail(*_args: object) -> None:
    raise OSError("the storage is away")


def test_the_same_id_twice_is_one_job() -> None:
    job_id = uuid4()

    jobs = [queue_desk_job(IMPORT_PRODUCTS, user_id=None, job_id=job_id) for _click in range(2)]

    assert jobs[0] == jobs[1]
    assert DeskJob.objects.count() == 1


@pytest.mark.quick_in_bucket
def test_old_jobs_go_with_their_files_unless_another_job_reads_them() -> None:
    rehearsed = queued(package(mug()), dry_run=True)
    run_job(DeskJob, rehearsed.pk)
    imported = queue_desk_job(
        IMPORT_PRODUCTS,
        user_id=None,
        file=str(rehearsed.file.name),
        context={"name": "products.zip", "dry_run": False},
    )
    rehearsed.refresh_from_db()
    DeskJob.objects.filter(pk=rehearsed.pk).update(finished_at=Now() - KEEP_JOBS * 2)

    assert prune()["desk"] == 1
    kept = default_storage.exists(str(imported.file.name))
    run_job(DeskJob, imported.pk)
    DeskJob.objects.update(finished_at=Now() - KEEP_JOBS * 2)
    assert prune()["desk"] == 1

    assert kept
    assert not default_storage.exists(str(rehearsed.report.name))
    assert not default_storage.exists(str(imported.file.name))
    assert Stock.objects.count() == 1
