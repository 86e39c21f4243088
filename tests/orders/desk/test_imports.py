"""Importing at the desk: upload, dry run, import now, report."""

from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.staticfiles import finders
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from orders.desk_jobs.kinds import IMPORT_PRODUCTS
from orders.desk_jobs.progress import store_progress
from orders.desk_jobs.queue import queue_once
from orders.imports.products import CatalogueImport
from orders.models import DeskJob, Product, User
from project.jobs.errors import LostClaimError
from project.jobs.queryset import Status
from project.jobs.run import run_job
from tests.factories import add_product
from tests.orders.imports.packages import mug, table
from tests.orders.shop.pages import text_of
from tests.pages import open_page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]

UPLOAD = "/admin/orders/deskjob/import/"


def upload(client: Client, data: bytes, name: str = "products.csv") -> Any:
    return client.post(UPLOAD, {"file": SimpleUploadedFile(name, data)})


def rehearsed(client: Client, *rows: dict[str, str]) -> DeskJob:
    upload(client, table(*rows))
    job = DeskJob.objects.get()
    run_job(DeskJob, job.pk)
    return job


def page_of(job: DeskJob) -> str:
    return reverse("admin:orders_deskjob_change", args=[job.pk])


def test_an_upload_is_stored_as_a_dry_run_and_nothing_else(
    admin_client: Client, admin_user: User
) -> None:
    answer = upload(admin_client, table(mug()))

    job = DeskJob.objects.get()
    assert answer["Location"] == page_of(job)
    assert (job.user, job.status, job.context["dry_run"]) == (admin_user, Status.QUEUED, True)
    assert not Product.objects.exists()


@pytest.mark.parametrize("address", [UPLOAD, "/admin/orders/deskjob/stock-take/"])
def test_a_second_click_on_upload_is_no_second_dry_run(
    address: str, admin_client: Client, storage: Any
) -> None:
    """After Back, another file of the same name is another dry run."""
    page = open_page(admin_client, address)

    def send(data: bytes) -> str:
        file = SimpleUploadedFile("list.csv", data)
        return str(page.send(file=file, reason="Count")["Location"])

    answers = [send(table(mug())), send(table(mug())), send(table(mug(sku="CUP")))]

    assert answers[0] == answers[1] != answers[2]
    assert DeskJob.objects.count() == LogEntry.objects.count() == 2


def test_of_two_uploads_at_once_one_file_is_kept() -> None:
    key, files = uuid4(), []

    def upload_once() -> bool:
        file = SimpleUploadedFile("list.csv", b"sku")
        with patch.object(DeskJob.objects, "filter", lambda **_by: DeskJob.objects.none()):
            job, is_new = queue_once(
                IMPORT_PRODUCTS,
                key=key,
                asked="x",
                user_id=None,
                file=file,
            )
        files.append(job.file.name)
        return is_new

    assert (upload_once(), upload_once()) == (True, False)
    assert files[0] == files[1]
    assert len(default_storage.listdir("desk/uploads")[1]) == 1


def test_a_cancelled_import_tells_what_was_done_before(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.imports.run.BATCH_ROWS", 1)
    monkeypatch.setattr("orders.desk_jobs.progress.PROGRESS_SECONDS", 0)
    rehearsed(admin_client, mug(), mug(sku="CUP"))
    dry_run = DeskJob.objects.get()
    admin_client.post(reverse("admin:orders_deskjob_import_now", args=[dry_run.pk]))
    job = DeskJob.objects.exclude(pk=dry_run.pk).get()
    real = CatalogueImport.import_rows

    def import_and_cancel(self: CatalogueImport, rows: Any) -> None:
        real(self, rows)
        DeskJob.objects.filter(pk=job.pk).cancel()

    with (
        patch.object(CatalogueImport, "import_rows", import_and_cancel),
        pytest.raises(LostClaimError),
    ):
        run_job(DeskJob, job.pk)
    page = text_of(admin_client.get(page_of(job)))

    assert [product.sku for product in Product.objects.all()] == ["MUG"]
    assert "What was done before it was cancelled" in page
    assert "All rows Created 1" in page
    assert "CUP" not in page


@pytest.mark.parametrize("name", ["products.pdf", "products"])
def test_another_kind_of_file_is_refused(name: str, admin_client: Client) -> None:
    answer = upload(admin_client, b"x", name)

    assert answer.status_code == 422
    assert "Choose a .zip, .csv or .xlsx." in answer.content.decode()
    assert not DeskJob.objects.exists()


def test_the_template_that_is_offered_can_be_read_as_it_is(admin_client: Client) -> None:
    page = admin_client.get(UPLOAD).content.decode()
    template = Path(str(finders.find("desk/products.csv"))).read_bytes()

    upload(admin_client, template)
    job = DeskJob.objects.get()
    run_job(DeskJob, job.pk)

    job.refresh_from_db()
    assert "desk/products.csv" in page
    # Its pictures are examples, so its rows are refused for these and for nothing else.
    with job.report.open("rb") as file:
        lines = file.read().decode().splitlines()[1:]
    assert len(lines) == 2
    assert all("refused" in line and "isn't among the files" in line for line in lines)


def test_a_dry_run_shows_its_rows_and_is_imported_by_one_click(admin_client: Client) -> None:
    job = rehearsed(admin_client, mug(), mug("BAD", price="12,30"))
    url = reverse("admin:orders_deskjob_import_now", args=[job.pk])

    page = admin_client.get(page_of(job)).content.decode()
    clicks = [admin_client.post(url) for _click in range(2)]
    real = DeskJob.objects.exclude(pk=job.pk).get()
    run_job(DeskJob, real.pk)
    done = admin_client.get(page_of(real)).content.decode()

    assert url in page
    assert "write “12.30” instead of “12,30”" in page
    assert {click["Location"] for click in clicks} == {page_of(real)}
    assert Product.objects.get().sku == "MUG"
    assert "Import now" not in done


def test_rows_that_come_out_otherwise_than_the_dry_run_showed_are_told(
    admin_client: Client,
) -> None:
    add_product("MUG", price="8.00")
    job = rehearsed(admin_client, mug(), mug("CUP"))
    Product.objects.update(price="12.00")  # a colleague, after the dry run

    answer = open_page(admin_client, page_of(job))
    answer.url = reverse("admin:orders_deskjob_import_now", args=[job.pk])
    answer.send()
    real = DeskJob.objects.exclude(pk=job.pk).get()
    run_job(DeskJob, real.pk)
    whole = admin_client.get(page_of(real)).content.decode()
    listed = admin_client.get(page_of(real), {"outcome": "otherwise"})

    assert "1 row came out otherwise than the dry run showed" in whole
    assert [row.sku for row in listed.context["page"]] == ["MUG"]
    text = " ".join(listed.content.decode().split())
    assert "price: 12.00 → " in text
    assert "The dry run showed: Changed: " in text
    assert "price: 8.00 → " in text


def test_an_import_as_its_dry_run_showed_says_nothing_of_it(admin_client: Client) -> None:
    job = rehearsed(admin_client, mug())
    admin_client.post(reverse("admin:orders_deskjob_import_now", args=[job.pk]))
    real = DeskJob.objects.exclude(pk=job.pk).get()
    run_job(DeskJob, real.pk)

    assert "otherwise" not in admin_client.get(page_of(real)).content.decode()


def test_the_rows_are_shown_by_outcome_and_in_pages(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.desk.job_reports.PAGE_ROWS", 2)
    job = rehearsed(
        admin_client, *(mug(f"SKU-{number}") for number in range(5)), mug("BAD!", price="x")
    )

    refused = admin_client.get(page_of(job), {"outcome": "refused"}).context["page"]
    last = admin_client.get(page_of(job), {"page": "3"}).context["page"]

    assert [row.sku for row in refused] == ["BAD!"]
    assert [row.sku for row in last] == ["SKU-4", "BAD!"]


def test_a_report_of_many_rows_takes_as_many_queries_as_of_one(admin_client: Client) -> None:
    job = rehearsed(admin_client, *(mug(f"SKU-{number}") for number in range(50)))
    admin_client.get(page_of(job))

    with CaptureQueriesContext(connection) as queries:
        admin_client.get(page_of(job))

    assert len(queries) <= 9


@pytest.mark.quick_in_bucket
def test_the_report_is_a_download(admin_client: Client) -> None:
    job = rehearsed(admin_client, mug())

    answer = admin_client.get(reverse("admin:orders_deskjob_report", args=[job.pk]))

    assert answer["Content-Disposition"] == 'attachment; filename="report.csv"'
    assert b"MUG,created" in b"".join(answer.streaming_content)


def test_who_may_only_look_can_neither_import_nor_read_the_report(
    admin_client: Client, clerk_client: Client
) -> None:
    job = rehearsed(admin_client, mug())
    names = ("import_now", "report")
    now, report = (reverse(f"admin:orders_deskjob_{name}", args=[job.pk]) for name in names)

    answers = [
        upload(clerk_client, table(mug())),
        clerk_client.get(UPLOAD),
        clerk_client.post(now),
        clerk_client.get(report),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403, 403]
    assert clerk_client.get(page_of(job)).status_code == 200
    assert DeskJob.objects.count() == 1


def test_a_running_job_shows_how_far_it_is_and_can_be_cancelled(admin_client: Client) -> None:
    upload(admin_client, table(mug()))
    job = DeskJob.objects.claim(DeskJob.objects.get().pk)
    assert isinstance(job, DeskJob)
    assert job is not None
    store_progress(job, 42)
    state = reverse("admin:orders_deskjob_state", args=[job.pk])

    page = admin_client.get(page_of(job)).content.decode()
    running = admin_client.get(state)
    admin_client.post(reverse("admin:orders_deskjob_decide", args=[job.pk, "cancel"]))
    ended = admin_client.get(state)

    assert f'hx-get="{state}"' in page
    assert 'value="42"' in running.content.decode()
    assert "HX-Refresh" not in running
    assert DeskJob.objects.get().status == Status.CANCELLED
    assert ended["HX-Refresh"] == "true"
    assert "hx-get" not in ended.content.decode()
