"""Papers of many orders in one file: made, refused by name, cancelled, made again."""

import io
from typing import Any

import pytest
from celery.exceptions import Ignore
from django.utils import translation
from pypdf import PdfReader

from media_jobs.papers import typesetting
from orders import tasks
from orders.desk_jobs.kinds import PRINT_INVOICES, PRINT_PACKING_SLIPS, PRINT_PICK_LIST, Kind
from orders.desk_jobs.queue import queue_desk_job
from orders.models import DeskJob, Invoice, Order
from project.jobs.errors import PermanentError
from project.jobs.queryset import Status
from tests.factories import add_product, make_order
from tests.orders.invoicing.company import set_company

APPS = ["project", "notifications", "media_jobs", "orders"]
pytestmark = [
    pytest.mark.django_db(transaction=True, available_apps=APPS),
    pytest.mark.usefixtures("storage"),
]


@pytest.fixture(autouse=True)
def company(settings: Any) -> None:
    set_company(settings)


def queued(kind: Kind, *orders: Order) -> DeskJob:
    with translation.override("en"):
        return queue_desk_job(
            kind, user_id=None, context={"orders": [order.number for order in orders]}
        )


def pages(job: DeskJob) -> list[str]:
    job.refresh_from_db()
    with job.report.open("rb") as file:
        return [page.extract_text() for page in PdfReader(io.BytesIO(file.read())).pages]


def test_packing_slips_are_one_file_in_the_order_of_their_numbers() -> None:
    tea = add_product("TEA")
    first, second = make_order(tea), make_order(tea, status="paid")
    job = queued(PRINT_PACKING_SLIPS, second, first)

    result = tasks.work(str(job.pk))

    found = pages(job)
    assert result == {"papers": 2, "refusals": []}
    assert [first.display_number in found[0], second.display_number in found[1]] == [True, True]
    assert all("Page 1 of 1" in page for page in found)
    assert (job.status, job.progress) == (Status.DONE, 100)


def test_a_cancelled_order_is_named_and_not_packed() -> None:
    tea = add_product("TEA")
    good, bad = make_order(tea), make_order(tea, status="cancelled")
    job = queued(PRINT_PACKING_SLIPS, good, bad)

    result = tasks.work(str(job.pk))

    assert result == {"papers": 1, "refusals": [f"Order {bad} has nothing to pack."]}


def test_a_selection_with_nothing_to_print_says_why() -> None:
    bad = make_order(add_product("TEA"), status="cancelled")
    job = queued(PRINT_PICK_LIST, bad)

    with pytest.raises(PermanentError, match="has nothing to pack"):
        tasks.work(str(job.pk))


def test_a_pick_list_is_one_list_of_all() -> None:
    tea = add_product("TEA", shelf="A2")
    orders = [make_order(tea) for _order in range(3)]
    job = queued(PRINT_PICK_LIST, *orders)

    tasks.work(str(job.pk))

    (page,) = pages(job)
    assert "6 ×" in page
    assert all(f"{order} × 2" in page for order in orders)


def test_invoices_that_lack_are_issued_once() -> None:
    tea = add_product("TEA")
    orders = [make_order(tea, status="paid") for _order in range(3)]
    cancelled = make_order(tea, status="cancelled")
    first, again = (queued(PRINT_INVOICES, *orders, cancelled) for _time in range(2))

    results = [tasks.work(str(job.pk)) for job in (first, again)]

    assert pages(first) == pages(again)
    assert list(Invoice.objects.values_list("number", flat=True)) == [1, 2, 3]
    refusal = f"Order {cancelled} has nothing left to invoice."
    assert results == [{"papers": 3, "refusals": [refusal]}] * 2


def test_a_cancelled_job_stops_and_leaves_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even the batch that comes next is set."""
    tea = add_product("TEA")
    job = queued(PRINT_PACKING_SLIPS, *(make_order(tea) for _order in range(3)))
    pdf_of, made = typesetting.pdf_of, []

    def set_and_cancel(documents: Any, **how: Any) -> bytes:
        made.append(len(documents))
        DeskJob.objects.filter(pk=job.pk).update(
            status=Status.CANCELLED, token=None, lease_until=None
        )
        return pdf_of(documents, **how)

    monkeypatch.setattr(typesetting, "MOST_ROWS", 1)
    monkeypatch.setattr(typesetting, "pdf_of", set_and_cancel)

    with pytest.raises(Ignore):
        tasks.work(str(job.pk))

    job.refresh_from_db()
    assert (job.status, job.report.name, made) == (Status.CANCELLED, "", [1])


def test_an_order_that_is_gone_is_left_out() -> None:
    order = make_order(add_product("TEA"))
    job = queued(PRINT_PACKING_SLIPS, order)
    DeskJob.objects.update(context=job.context | {"orders": [order.number, 10**12]})

    assert tasks.work(str(job.pk))["papers"] == 1
