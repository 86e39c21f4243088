"""Admin pages of third-party and service models: task results, health, failed logins.

The entries of the schedule are in `project.desk.schedule`.
"""

from typing import Any, cast

from axes.admin import AccessAttemptAdmin
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.timesince import timesince
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django_celery_beat.admin import ClockedScheduleAdmin, CrontabScheduleAdmin
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    SolarSchedule,
)
from django_celery_results.admin import TaskResultAdmin
from django_celery_results.models import GroupResult, TaskResult
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from project.desk import audit_pages, limits, performance, schedule
from project.desk.editing import EditAdmin
from project.desk.jobs import JobAdmin, job_admins, moment
from project.desk.long_lists import LongList
from project.desk.read_only import ReadOnly
from project.desk.record_page import RecordPage
from project.desk.search_terms import typed_id
from project.desk.word_filters import known_words_filter, words_filter
from project.limits.client_address import HOME_PREFIX, counted_form
from project.models import AuditRun, DailyRun, Heartbeat, Sweep
from project.monitoring.health import FRESH
from project.names import (
    RESULT_STATES,
    TASKS,
    celery_state,
    in_words,
    service_name,
    service_state,
    stored_result,
    sweep_name,
    task_name,
)
from project.schedule.entries import MOST_EVERY, crontab_in_words

__all__ = ["audit_pages", "limits", "performance", "schedule"]

for model in (
    *(AccessAttempt, AccessFailureLog, AccessLog, GroupResult, TaskResult),
    *(IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule),
):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class ReadOnlyAdmin(ReadOnly, ModelAdmin):
    """A read-only admin: the processes write these rows, operators read them."""

    show_full_result_count = False


# Its own name for itself is "<Task: id (state)>", and stands above its page.
TaskResult.add_to_class("__str__", lambda result: task_name(result.task_name or ""))


# ── Celery ──────────────────────────────────────────────────────────────────────────────────
@admin.register(TaskResult)
class ResultAdmin(ReadOnly, LongList, TaskResultAdmin):
    """Celery's own results: a job's last attempt has the job's id."""

    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("about", "order"),
                    ("task", "state_words"),
                    ("date_created", "date_done"),
                    "outcome",
                    "traceback",
                    ("worker", "task_id"),
                )
            },
        ),
    )
    readonly_fields = ("about", "order", "task", "state_words", "outcome")

    COLOURS = {"SUCCESS": "success", "FAILURE": "danger", "RETRY": "warning", "STARTED": "info"}
    list_display = ("task", "state", "about", "order", "done", "worker", "task_id")
    list_display_links = ("task",)
    ordering = ("-date_done", "-pk")
    sortable = {"done": ("date_done", "pk")}
    list_filter = (
        ("status", known_words_filter(celery_state, lambda: RESULT_STATES)),
        ("task_name", known_words_filter(task_name, lambda: TASKS)),
    )
    search_fields = ("task_id", "task_name")
    search_help_text = _("Id of the job or task, or words of the task's name.")

    def matches(self, text: str) -> Q:
        words = text.lower()
        tasks = [name for name, label in TASKS.items() if words in f"{name} {label}".lower()]
        return Q(task_id=text) | Q(task_name__in=tasks)

    def complete(self, rows: list[Any]) -> None:
        """Read the jobs of the page's results: a job's last attempt has its id."""
        jobs = _jobs_of([row.task_id for row in rows])
        for row in rows:
            row.job = jobs.get(row.task_id)

    @display(description=_("job"))
    def about(self, result: Any) -> str | SafeString:
        job = _job_of(result)
        if job is None:
            return "–"
        desk = cast("JobAdmin", admin.site._registry[type(job)])
        name = f"admin:{desk.opts.app_label}_{desk.opts.model_name}_change"
        html = '<a href="{}" class="text-link">{}</a>'
        return format_html(html, reverse(name, args=[job.pk]), desk.summary(job))

    @display(description=_("order"))
    def order(self, result: Any) -> str | SafeString:
        job = _job_of(result)
        desk = admin.site._registry[type(job)] if job else None
        return desk.order(job) if isinstance(desk, JobAdmin) and job else "–"

    @display(description=_("finished"), ordering="date_done")
    def done(self, result: TaskResult) -> SafeString:
        return moment(result.date_done)

    @display(description=_("status"), ordering="status", label=COLOURS)
    def state(self, result: TaskResult) -> tuple[str, str]:
        return str(result.status), celery_state(str(result.status))

    @display(description=_("result"))
    def outcome(self, result: TaskResult) -> str:
        return stored_result(result.result)

    @display(description=_("status"))
    def state_words(self, result: TaskResult) -> str:
        return celery_state(str(result.status))

    @display(description=_("task"), ordering="task_name")
    def task(self, result: TaskResult) -> str:
        return task_name(result.task_name or "")


def _jobs_of(task_ids: list[str]) -> dict[str, Any]:
    """Return the jobs that have these ids, by id: in one query for each model of jobs."""
    keys = [key for task_id in task_ids if (key := typed_id(task_id))]
    return {
        str(job.pk): job
        for desk in job_admins(admin.site)
        for job in (desk.read_for_sheet(desk.model._default_manager.filter(pk__in=keys)))
    }


def _job_of(result: Any) -> Any:
    """Return the job whose attempt the result is of; None for a task without a job."""
    if not hasattr(result, "job"):
        result.job = _jobs_of([result.task_id]).get(result.task_id)
    return result.job


class IntervalForm(forms.ModelForm):
    """An interval that beat can count."""

    every = forms.IntegerField(
        label=_("Every"),
        min_value=1,
        max_value=MOST_EVERY,
        widget=UnfoldAdminIntegerFieldWidget,
    )


@admin.register(IntervalSchedule)
class IntervalAdmin(EditAdmin):
    form = IntervalForm


@admin.register(CrontabSchedule)
class CrontabAdmin(EditAdmin, CrontabScheduleAdmin):
    inlines = ()
    list_display = ("words", "timezone")
    fields = ("words", "minute", "hour", "day_of_month", "month_of_year", "day_of_week", "timezone")
    readonly_fields = ("words",)

    @display(description=_("in words"))
    def words(self, crontab: CrontabSchedule) -> str:
        return crontab_in_words(crontab) if crontab.pk else "–"


@admin.register(ClockedSchedule)
class ClockedAdmin(EditAdmin, ClockedScheduleAdmin):
    inlines = ()


# ── Health ──────────────────────────────────────────────────────────────────────────────────
@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    fields = ("service", "seen_at", "about")
    readonly_fields = fields
    list_display = ("service", "state", "seen", "about")

    @display(description=_("service"), ordering="name")
    def service(self, heartbeat: Heartbeat) -> str:
        return service_name(heartbeat.name)

    @display(description=_("detail"))
    def about(self, heartbeat: Heartbeat) -> str:
        """Return what the process says: states of services, its number, and figures by app."""
        return in_words(
            {
                name: said if isinstance(said, dict) else service_state(str(said))
                for name, said in heartbeat.detail.items()
            }
        )

    @display(description=_("state"), label={"alive": "success", "silent": "danger"})
    def state(self, heartbeat: Heartbeat) -> tuple[str, Any]:
        if timezone.now() - heartbeat.seen_at <= FRESH:
            return "alive", _("alive")
        return "silent", _("silent")

    @display(description=_("seen"), ordering="seen_at")
    def seen(self, heartbeat: Heartbeat) -> str:
        return _("%(time)s ago") % {"time": timesince(heartbeat.seen_at)}


@admin.register(AuditRun)
class AuditRunAdmin(ReadOnly, LongList):
    ordering = ("-started_at", "-id")
    sortable = {"started_at": ("started_at", "id")}
    list_display = ("started_at", "scope", "state", "drift", "took")
    list_filter = ("is_clean", "scope")
    change_form_template = "desk/audit_run.html"
    fields = (("scope", "until"), ("started_at", "finished_at"))

    @display(description=_("state"), label={True: "success", False: "danger"})
    def state(self, run: AuditRun) -> tuple[bool, Any]:
        return run.is_clean, _("clean") if run.is_clean else _("drift")

    @display(description=_("drift"))
    def drift(self, run: AuditRun) -> str:
        return ", ".join(
            f"{gettext(finding['name'])}: {finding['violations']}"
            for finding in run.findings
            if finding["violations"]
        )

    @display(description=_("took"))
    def took(self, run: AuditRun) -> str:
        return f"{(run.finished_at - run.started_at).total_seconds():.2f} s"


@admin.register(Sweep)
class SweepAdmin(ReadOnlyAdmin):
    """The sweeps, which the relay calls every few seconds."""

    COLOURS = {"ok": "success", "failed": "warning", "late": "danger"}
    fields = ("title", "ran_at", "done_at", "result", "error", "done_until")
    readonly_fields = fields
    list_display = ("title", "state", "ran_at", "done_at", "result", "error", "done_until")

    @display(description=_("name"), ordering="name")
    def title(self, sweep: Sweep) -> str:
        return sweep_name(sweep.name)

    @display(description=_("state"), label=COLOURS)
    def state(self, sweep: Sweep) -> tuple[str, Any]:
        """Say whether it is late: the one word for what failed, hangs, or isn't called."""
        if sweep.late_after is None:
            return "", "–"
        if sweep.late_after < timezone.now():
            return "late", _("late")
        return ("failed", _("failed")) if sweep.error else ("ok", pgettext_lazy("sweep", "on time"))


@admin.register(DailyRun)
class DailyRunAdmin(ReadOnly, LongList, RecordPage):
    """The daily runs: each daily work with the days for which it is done."""

    COLOURS = {"done": "success", "failed": "danger", "open": "info"}
    list_display = ("day", "title", "state", "attempts", "finished_at", "outcome")
    list_display_links = ("day",)
    list_filter = (("name", words_filter(task_name)),)
    ordering = ("-day", "-pk")

    fields = (("title", "day"), ("started_at", "finished_at"), "attempts", "full_outcome")
    readonly_fields = fields[0] + fields[1] + fields[2:]
    change_form_template = "desk/daily_run.html"

    def page_context(self, request: HttpRequest, run: DailyRun) -> dict[str, Any]:
        return {"subtitle": None, "title": f"{task_name(run.name)} · {run.day}"}

    @display(description=_("last result"))
    def full_outcome(self, run: DailyRun) -> str:
        return run.error or in_words(run.result)

    @display(description=_("name"), ordering="name")
    def title(self, run: DailyRun) -> str:
        return task_name(run.name)

    @display(description=_("state"), label=COLOURS)
    def state(self, run: DailyRun) -> tuple[str, Any]:
        if run.finished_at:
            return "done", _("done")
        return ("failed", _("failed")) if run.error else ("open", _("running"))

    @display(description=_("last result"))
    def outcome(self, run: DailyRun) -> str:
        return Truncator(run.error or in_words(run.result)).chars(80)


@admin.register(AccessAttempt)
class FailedLoginAdmin(LongList, EditAdmin, AccessAttemptAdmin):
    """Logins that failed. If a row is deleted, its user may try again."""

    list_display = ("username", "ip_address", "failures_since_start", "attempt_time")
    list_filter = ("attempt_time",)
    ordering = ("-attempt_time", "-pk")
    sortable = {"attempt_time": ("attempt_time", "pk")}
    search_fields = ("username", "ip_address")
    search_help_text = _("The name's beginning, or an address.")

    def matches(self, text: str) -> Q:
        try:
            return Q(ip_address=counted_form(text).removesuffix(f"/{HOME_PREFIX}"))
        except ValueError:
            return Q(username__startswith=text)

    @admin.action(description=_("Delete attempts that are older than an hour"))
    def cleanup_expired_attempts(
        self, request: HttpRequest, queryset: QuerySet[AccessAttempt]
    ) -> None:
        # axes reads the moment of the request, and sets it only where a user signs in.
        request.axes_attempt_time = timezone.now()  # type: ignore[attr-defined]
        super().cleanup_expired_attempts(request, queryset)
