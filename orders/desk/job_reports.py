"""What came of an import, a stock-take or a step of many orders: its job's report on the page."""

from io import TextIOWrapper
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from orders.desk.imports import may_import
from orders.desk.stock_takes import may_take_stock
from orders.desk_jobs.kinds import TAKE_STOCK
from orders.desk_jobs.order_steps import read_refusals
from orders.imports.report import Outcome, RowReport, read_report
from orders.models import DeskJob
from project.jobs.queryset import Status

PAGE_ROWS = 100
OUTCOMES = {
    Outcome.CREATED: (_("Created"), "success"),
    Outcome.CHANGED: (_("Changed"), "info"),
    Outcome.UNCHANGED: (_("Unchanged"), ""),
    Outcome.REFUSED: (_("Refused"), "danger"),
}
"""The label of an outcome, and unfold's name of its colour."""
OTHERWISE = "otherwise"
"""The name of the filter for the rows that the dry run showed otherwise."""


def step_context(request: HttpRequest, job: DeskJob) -> dict[str, Any]:
    """Return the requested page of the orders that refused the step."""
    page = Paginator(list(read_refusals(job)), PAGE_ROWS).get_page(request.GET.get("page"))
    return {"steps": job.result or {}, "page": page, "refused_orders": list(page)}


def import_context(request: HttpRequest, job: DeskJob) -> dict[str, Any]:
    """Return the counts, and the requested page of the report's rows.

    Rows that change nothing come last: an operator decides by the others.
    """
    counts = job.result or {}
    chosen = request.GET.get("outcome", "")
    rows = sorted(_rows(job), key=lambda row: row.outcome == Outcome.UNCHANGED)
    otherwise = _otherwise(job, rows)
    if chosen == OTHERWISE:
        rows = [row for row in rows if row.number in otherwise]
    elif chosen:
        rows = [row for row in rows if row.outcome == chosen]
    page = Paginator(rows, PAGE_ROWS).get_page(request.GET.get("page"))
    changes = counts.get(Outcome.CREATED, 0) + counts.get(Outcome.CHANGED, 0)
    is_rehearsed = job.context.get("dry_run") and job.status == Status.DONE
    return {
        "outcomes": [
            (outcome.value, label, counts.get(outcome, 0), outcome == chosen)
            for outcome, (label, _colour) in OUTCOMES.items()
            if not (outcome == Outcome.CREATED and job.kind == TAKE_STOCK.name)
        ],
        "counts": counts,
        "otherwise": len(otherwise),
        "is_otherwise": chosen == OTHERWISE,
        "chosen": chosen,
        "page": page,
        "rows": [(row, *OUTCOMES[row.outcome], otherwise.get(row.number) or "") for row in page],
        "import_url": _import_url(request, job) if is_rehearsed and changes else "",
    }


def _import_url(request: HttpRequest, job: DeskJob) -> str:
    """Return the URL that turns the dry run into earnest; empty for who may not."""
    if job.kind == TAKE_STOCK.name:
        url = reverse("admin:orders_deskjob_take_stock_now", args=[job.pk])
        return url if may_take_stock(request) else ""
    url = reverse("admin:orders_deskjob_import_now", args=[job.pk])
    return url if may_import(request) else ""


def _otherwise(job: DeskJob, rows: list[RowReport]) -> dict[int, str]:
    """Return the rows that the import's dry run showed otherwise, by number, with its words.

    Somebody changed the catalogue after the dry run.
    """
    rehearsed = job.context.get("rehearsed")
    confirmed = rehearsed and DeskJob.objects.exclude(report="").filter(pk=rehearsed).first()
    if not confirmed:
        return {}
    shown = {row.number: row for row in _rows(confirmed)}
    return {
        row.number: _in_words(shown[row.number])
        for row in rows
        if row.number in shown and shown[row.number] != row
    }


def _in_words(row: RowReport) -> str:
    label, _colour = OUTCOMES[row.outcome]
    return f"{label}: {row.detail}" if row.detail else str(label)


def _rows(job: DeskJob) -> list[RowReport]:
    with job.report.open("rb") as file:
        return list(read_report(TextIOWrapper(file, encoding="utf-8", newline="")))
