"""Desk jobs at the desk: their progress, results and reports, and the start of an import."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from unfold.decorators import action

from orders.desk.imports import import_view, may_import
from orders.desk.job_reports import import_context, step_context
from orders.desk.stock_takes import may_take_stock, stock_take_view
from orders.desk_jobs.kinds import EXPORT_LIST, IMPORT_PRODUCTS, KINDS, STEP_ORDERS, TAKE_STOCK
from orders.desk_jobs.order_steps import STEPS
from orders.desk_jobs.queue import queue_once
from orders.models import DeskJob
from project.desk.csv_stream import file_name
from project.desk.export_list import export_list
from project.desk.jobs import JobAdmin
from project.desk.list_requests import list_request
from project.desk.page_keys import sent_key
from project.desk.sheets import Column
from project.desk.word_filters import known_words_filter
from project.jobs.decisions import CANCEL, RETRY, RETRY_CANCELLED
from project.jobs.queryset import Status
from project.text import isolate

ENDED = (Status.DONE, Status.CANCELLED)
"""Of a cancelled job the report is about what was done before."""


def _orders(count: int) -> str:
    return ngettext("%(count)d order", "%(count)d orders", count) % {"count": count}


def _kind_name(name: str) -> str:
    return str(KINDS[name].label) if name in KINDS else name


@admin.register(DeskJob)
class DeskJobAdmin(JobAdmin):
    decisions = (RETRY, CANCEL, RETRY_CANCELLED)
    change_form_template = "desk/desk_job.html"
    list_display: Any = (
        "about",
        "state",
        "percent",
        "user",
        "attempts",
        "reason",
        "queued",
        "finished",
    )
    list_filter = ("status", ("kind", known_words_filter(_kind_name, lambda: KINDS)))
    search_help_text = _("Id of the job, or words of the error.")
    list_select_related = ("user",)
    about_fields = ("user",)
    sheet_columns = (Column(_("asked by"), lambda job: job.user.username if job.user else ""),)
    actions_list = ("import_products",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("user")

    def for_order(self, order_id: UUID) -> QuerySet[Any]:
        return DeskJob.objects.none()  # it is about many rows: no query

    def kinds(self) -> list[tuple[str, Any]]:
        return [(name, kind.label) for name, kind in KINDS.items()]

    def summary(self, job: DeskJob) -> str:
        words = [_kind_name(job.kind), isolate(job.context.get("name", ""))]
        if job.kind == STEP_ORDERS.name and job.context.get("step") in STEPS:
            words = [str(STEPS[job.context["step"]].label), _orders(job.context["orders"])]
        if job.context.get("dry_run"):
            words.append(str(_("dry run")))
        return " · ".join(word for word in words if word)

    @admin.display(description=_("progress"), ordering="progress")
    def percent(self, job: DeskJob) -> str:
        return f"{job.progress} %"

    # ── Result ─────────────────────────────────────────────────────────────────────────────────

    def page_context(self, request: HttpRequest, job: DeskJob) -> dict[str, Any]:
        context = super().page_context(request, job)
        if not (job.report and job.status in ENDED and _may_read(request, job)):
            return context
        context["is_partial"] = job.status == Status.CANCELLED
        context["report_url"] = reverse("admin:orders_deskjob_report", args=[job.pk])
        if job.kind in (IMPORT_PRODUCTS.name, TAKE_STOCK.name):
            context |= import_context(request, job)
            context["is_stock_take"] = job.kind == TAKE_STOCK.name
        context["refusals"] = (job.result or {}).get("refusals", [])
        if job.kind == STEP_ORDERS.name:
            context |= step_context(request, job)
        return context

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path(
                "import/",
                view(lambda request: import_view(request, self)),
                name="orders_deskjob_import",
            ),
            path("export/", view(require_POST(self._export)), name="orders_deskjob_workbook"),
            path(
                "stock-take/",
                view(lambda request: stock_take_view(request, self)),
                name="orders_deskjob_stock_take",
            ),
            path(
                "<uuid:job_id>/take-stock/",
                view(require_POST(self._take_stock_now)),
                name="orders_deskjob_take_stock_now",
            ),
            path(
                "<uuid:job_id>/import/",
                view(require_POST(self._import_now)),
                name="orders_deskjob_import_now",
            ),
            path(
                "<uuid:job_id>/report/",
                view(require_safe(self._report)),
                name="orders_deskjob_report",
            ),
            *super().get_urls(),
        ]

    def _report(self, request: HttpRequest, job_id: UUID) -> FileResponse:
        job = get_object_or_404(self.get_queryset(request), pk=job_id)
        if not self.has_view_permission(request, job) or not _may_read(request, job):
            raise PermissionDenied
        if not job.report:
            raise Http404
        name = job.report.name.rpartition("/")[2]
        response = FileResponse(job.report.open("rb"), as_attachment=True, filename=name)
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "private, no-store"
        return response

    # ── Export ─────────────────────────────────────────────────────────────────────────────────

    def _export(self, request: HttpRequest) -> HttpResponseBase:
        """Queue a workbook of a list; Back and a second click lead to the same job."""
        asked = request.POST
        desk = export_list(asked.get("list", ""))
        if desk is None:
            raise Http404
        if not (desk.has_view_permission(request) and self.has_view_permission(request)):
            raise PermissionDenied
        sheet, query = desk.sheet(asked.get("sheet", "")), asked.get("query", "")
        desk.shown(list_request(user=request.user, query=query))  # refuses what the list refuses
        job, _is_new = queue_once(
            EXPORT_LIST,
            key=sent_key(request),
            asked=f"{asked['list']} {sheet.name} {query}",
            user_id=request.user.pk,
            context={
                "name": file_name(sheet, "xlsx"),
                "list": asked["list"],
                "sheet": sheet.name,
                "query": query,
            },
        )
        return redirect("admin:orders_deskjob_change", job.pk)

    # ── Import ─────────────────────────────────────────────────────────────────────────────────

    def has_import_permission(self, request: HttpRequest) -> bool:
        return may_import(request)

    @action(
        description=_("Import products"),
        url_path="import-products",
        icon="upload",
        permissions=["import"],
    )
    def import_products(self, request: HttpRequest) -> HttpResponseBase:
        return redirect("admin:orders_deskjob_import")

    def _import_now(self, request: HttpRequest, job_id: UUID) -> HttpResponseBase:
        """Queue the import of a dry run's file; a double click queues one job."""
        if not may_import(request):
            raise PermissionDenied
        rehearsed = get_object_or_404(
            DeskJob, pk=job_id, kind=IMPORT_PRODUCTS.name, status=Status.DONE, context__dry_run=True
        )
        job, is_new = queue_once(
            IMPORT_PRODUCTS,
            key=rehearsed.pk,
            asked="import",
            user_id=request.user.pk,
            file=rehearsed.file.name or "",
            context={
                "name": rehearsed.context["name"],
                "dry_run": False,
                "rehearsed": str(rehearsed.pk),
            },
        )
        if is_new:
            self.record_action(request, _("Import now"), [job])
        return redirect("admin:orders_deskjob_change", job.pk)

    def _take_stock_now(self, request: HttpRequest, job_id: UUID) -> HttpResponseBase:
        """Queue the application of a dry run's report; a double click queues one job."""
        if not (may_take_stock(request) and self.has_view_permission(request)):
            raise PermissionDenied
        rehearsed = get_object_or_404(
            DeskJob.objects.exclude(report=""),
            pk=job_id,
            kind=TAKE_STOCK.name,
            status=Status.DONE,
            context__dry_run=True,
        )
        job, is_new = queue_once(
            TAKE_STOCK,
            key=rehearsed.pk,
            asked="take stock",
            user_id=request.user.pk,
            file=rehearsed.report.name or "",
            context={
                "name": rehearsed.context["name"],
                "reason": rehearsed.context["reason"],
                "dry_run": False,
                "rehearsed": str(rehearsed.pk),
            },
        )
        if is_new:
            self.record_action(request, _("Take the differences over"), [job])
        return redirect("admin:orders_deskjob_change", job.pk)


def _may_read(request: HttpRequest, job: DeskJob) -> bool:
    kind = KINDS.get(job.kind)
    if kind is EXPORT_LIST:
        desk = export_list(job.context.get("list", ""))
        return desk is not None and desk.has_view_permission(request)
    return kind is not None and bool(request.user.has_perms(kind.permissions))
