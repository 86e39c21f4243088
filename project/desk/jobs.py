"""Admin pages of jobs: the list, and the page of one job; `job_decisions` has what is decided.

Each model of jobs registers a subclass. Operators never add, edit or delete jobs.
"""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import format_lazy
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from django_celery_results.models import TaskResult
from unfold.decorators import display

from project.desk.context_words import context_in_words
from project.desk.decision_log import decisions_of_job
from project.desk.export_list import ExportList
from project.desk.job_decisions import JobDecisions
from project.desk.long_lists import LongList
from project.desk.read_only import ReadOnly
from project.desk.record_page import RecordPage
from project.desk.search_terms import orders_numbered, typed_id
from project.desk.sheets import Column, Sheet, column
from project.jobs.model import Job
from project.jobs.queryset import OPEN, TROUBLED, Status
from project.jobs.same_error import same_error
from project.names import celery_state, in_words
from project.order_numbers import order_number

COLOURS = {
    Status.QUEUED.value: "info",
    Status.RUNNING.value: "primary",
    Status.DONE.value: "success",
    Status.FAILED.value: "danger",
    Status.UNKNOWN.value: "warning",
    Status.CANCELLED.value: "",
}
"""unfold's colour name of each status."""


class JobAdmin(JobDecisions, ReadOnly, ExportList, LongList, RecordPage):
    """The admin of a model of jobs. Subclasses describe a job in `summary`."""

    change_form_template = "desk/job.html"
    list_display: Any = ("about", "state", "order", "attempts", "reason", "queued", "finished")
    list_display_links = ("about",)
    list_filter: Any = ("status",)
    list_filter_submit = False
    ordering = ("-created_at", "-id")
    sortable = {"queued": ("created_at", "id")}
    search_fields: Any = ("error",)
    search_help_text = _("Order number, id of the order or job, or words of the error.")
    about_fields: tuple[Any, ...] = ()
    """The subclass' own fields, shown on a job's page."""
    sheet_columns: tuple[Column, ...] = ()
    """The subclass' own columns of an export."""
    compressed_fields = True

    def read_for_sheet(self, shown: QuerySet[Any]) -> QuerySet[Any]:
        """Add what `summary` and the subclass' own columns read."""
        return shown

    def summary(self, job: Any) -> str:
        """Return a short description of the job."""
        return str(job.kind)

    def number_of(self, job: Any) -> str:
        """Return the number of the job's order; empty if the job doesn't have it."""
        return str(job.context.get("number", ""))

    def pictures(self, job: Any) -> list[tuple[str, str]]:
        """Return the pictures that the job made, as (label, URL)."""
        return []

    def thumbnail(self, job: Any) -> str:
        """Return the URL of a small picture of the job's result; empty if there is none."""
        return ""

    def kinds(self) -> list[tuple[str, str | Promise]]:
        """Return the kinds of this model's jobs that a person may filter by, as (name, label)."""
        return []

    def listed(self, jobs: QuerySet[Any]) -> QuerySet[Any]:
        """Return those among these jobs that lists show."""
        return jobs

    def of_kind(self, jobs: QuerySet[Any], kind: str) -> QuerySet[Any]:
        """Return the jobs of one of `kinds` among these."""
        return jobs.filter(kind=kind)

    def same_error(self) -> Combinable:
        """Return the part of a job's error that others share: see `project.jobs.same_error`."""
        return same_error()

    def with_error(self, jobs: QuerySet[Any], error: str) -> QuerySet[Any]:
        """Return the jobs among these that failed, or wait, for this reason (a `same_error`)."""
        waiting = Q(status__in=(*TROUBLED, Status.QUEUED)) & ~Q(error="")
        return jobs.filter(waiting).alias(same=self.same_error()).filter(same=error)

    def for_order(self, order_id: UUID) -> QuerySet[Any]:
        """Return the order's jobs, with what `summary` and `pictures` read prefetched."""
        return self.model._default_manager.filter(order_id=order_id).order_by("created_at")

    def get_sheets(self) -> tuple[Sheet, ...]:
        return (
            Sheet(
                name=f"{self.opts.model_name}s",
                label=self.opts.verbose_name_plural,
                columns=(
                    Column(_("job"), self.summary),
                    Column(_("status"), lambda job: str(job.get_status_display())),
                    Column(_("order"), self.number_of),
                    *self.sheet_columns,
                    column(_("attempts"), "attempts"),
                    column(_("reason"), "error"),
                    column(_("queued"), "created_at"),
                    column(_("started"), "started_at"),
                    column(_("finished"), "finished_at"),
                    Column(_("id"), lambda job: str(job.pk)),
                ),
                read=self.read_for_sheet,
            ),
        )

    # ── Columns and fields ──────────────────────────────────────────────────────────────────

    @display(description=_("job"))
    def about(self, job: Job) -> str:
        return self.summary(job)

    @display(description=_("status"), ordering="status", label=COLOURS)
    def state(self, job: Job) -> tuple[str, str]:
        return job.status, str(job.get_status_display())

    @display(description=_("order"))
    def order(self, job: Job) -> str | SafeString:
        if job.order_id is None:
            return "–"
        number = self.number_of(job) or str(job.order_id)[:8]
        try:
            url = reverse("admin:orders_order_change", args=[job.order_id])
        except NoReverseMatch:  # a project without our shop
            return str(number)
        return format_html('<a href="{}" class="text-link">{}</a>', url, number)

    @display(description=_("queued"), ordering="created_at")
    def queued(self, job: Job) -> SafeString:
        return moment(job.created_at)

    @display(description=_("finished"), ordering="finished_at")
    def finished(self, job: Job) -> SafeString:
        return moment(job.finished_at)

    @display(description=_("reason"))
    def reason(self, job: Job) -> SafeString:
        return untranslated(job.error if len(job.error) <= 80 else f"{job.error[:79]}…")

    @display(description=_("result"))
    def result_words(self, job: Job) -> str:
        return in_words(job.result)

    @display(description=_("context"))
    def context_words(self, job: Job) -> SafeString:
        return context_in_words(job.context)

    @display(description=_("task result"))
    def task_result(self, job: Job) -> str | Promise:
        """Celery's own record of the last attempt; it has the job's id."""
        record = TaskResult.objects.filter(task_id=str(job.pk)).only("pk", "status").first()
        if record is None:
            return _("None yet, or the relay ran the job itself.")
        url = reverse("admin:django_celery_results_taskresult_change", args=[record.pk])
        state = celery_state(record.status)
        return format_html('<a href="{}" class="text-link">{}</a>', url, state)

    def get_fieldsets(self, request: HttpRequest, obj: Job | None = None) -> Any:
        return (
            (
                None,
                {
                    "fields": (
                        ("about", "order"),
                        *self.about_fields,
                        "error",
                        ("attempts", "lost"),
                        ("created_at", "run_after"),
                        ("started_at", "finished_at"),
                        "task_result",
                    )
                },
            ),
            (_("Result"), {"fields": ("result_words",), "classes": ("tab",)}),
            (_("Context"), {"fields": ("context_words",), "classes": ("tab",)}),
            (
                _("Claim"),
                {
                    "fields": (
                        "id",
                        ("rings", "ring_after"),
                        ("lease_until", "token"),
                    ),
                    "classes": ("tab",),
                },
            ),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Job | None = None) -> Any:
        return [
            *(field.name for field in self.opts.fields),
            *("about", "order", "task_result", "result_words", "context_words"),
        ]

    # ── Permissions ─────────────────────────────────────────────────────────────────────────

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or self.may_decide(request)

    # ── Search ──────────────────────────────────────────────────────────────────────────────

    def matches(self, text: str) -> Q:
        """Find an order number or an id exactly, anything else by its words."""
        if wanted := typed_id(text):
            return self.matches_id(wanted)
        number = order_number(text)
        if number is None:
            return self.matches_words(text)
        found = Q(order_id__in=orders_numbered(number))
        # Digits alone may be of a phone number or an error, too.
        return found | self.matches_words(text) if text.isdecimal() else found

    def matches_id(self, wanted: UUID) -> Q:
        return Q(pk=wanted) | Q(order_id=wanted)

    def matches_words(self, text: str) -> Q:
        """Find words of an error. Jobs that are done have none, so the long history isn't read."""
        found = ~Q(status=Status.DONE)
        for word in text.split():
            found &= Q(error__icontains=word)
        return found

    # ── One job ─────────────────────────────────────────────────────────────────────────────

    def get_urls(self) -> list[URLPattern]:
        state = path(
            "<uuid:job_id>/state/",
            self.admin_site.admin_view(require_safe(self._state_view)),
            name=f"{self.opts.app_label}_{self.opts.model_name}_state",
        )
        return [state, *super().get_urls()]

    def _state_view(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        """Answer a job's page with its current first line; after the job's end, reload the page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        job = get_object_or_404(self.get_queryset(request), pk=job_id)
        response = render(request, "desk/job_state.html", self._state_of(request, job))
        if job.status not in OPEN:
            response["HX-Refresh"] = "true"
        return response

    def _state_of(self, request: HttpRequest, job: Job) -> dict[str, Any]:
        names = (self.opts.app_label, self.opts.model_name)
        return {
            "job": job,
            "title": self.summary(job),
            "decisions": self.decisions_for(request, job),
            "pictures": self.pictures(job),
            "status_label": job.get_status_display(),
            "status_colour": COLOURS[job.status],
            "state_url": reverse("admin:{}_{}_state".format(*names), args=[job.pk])
            if job.status in OPEN
            else "",
            "back": reverse("admin:{}_{}_change".format(*names), args=[job.pk]),
        }

    def page_context(self, request: HttpRequest, job: Any) -> dict[str, Any]:
        return {
            "subtitle": None,
            "show_history": False,
            "decided": decisions_of_job(job),
            **self._state_of(request, job),
        }


def moment(time: datetime | None) -> SafeString:
    """Return the time for lists: in the shop's time zone, on one line."""
    text = date_format(localtime(time), "Y-m-d H:i") if time else "–"
    return format_html('<span class="whitespace-nowrap">{}</span>', text)


def in_zone(label: str | Promise) -> str:
    """Return the label of a time that people plan with, with the shop's time zone."""
    # A lazy text, as the labels of columns and fields are.
    return cast(str, format_lazy("{} ({})", label, settings.TIME_ZONE))


def isolated(text: str) -> SafeString:
    """Return a name for lists: its writing direction leaves the words around it alone."""
    return format_html("<bdi>{}</bdi>", text)


def untranslated(said: str) -> SafeString:
    """Return words of a gateway or program for a page: no browser translates them."""
    return format_html('<span translate="no" dir="auto">{}</span>', said)


def job_admins(site: admin.AdminSite) -> list[JobAdmin]:
    """Return the admin of every model of jobs on the site."""
    return [known for known in site._registry.values() if isinstance(known, JobAdmin)]
