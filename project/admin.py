"""Admin pages of third-party and service models: task results, health, failed logins.

The entries of the schedule are in `project.desk.schedule`.
"""

from typing import Any

from axes.admin import AccessAttemptAdmin
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.timesince import timesince
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

from project.desk import schedule
from project.desk.read_only import ReadOnly
from project.models import AuditRun, DailyRun, Heartbeat, Sweep
from project.monitoring.health import FRESH
from project.schedule.entries import in_words

__all__ = ["schedule"]

for model in (
    *(AccessAttempt, AccessFailureLog, AccessLog, GroupResult, TaskResult),
    *(IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule),
):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class ReadOnlyAdmin(ReadOnly, ModelAdmin):
    """A read-only admin: the processes write these rows, operators read them."""

    show_full_result_count = False


# ── Celery ──────────────────────────────────────────────────────────────────────────────────
@admin.register(TaskResult)
class ResultAdmin(ReadOnlyAdmin, TaskResultAdmin):
    """Celery's own results: a job's last attempt has the job's id."""

    COLOURS = {"SUCCESS": "success", "FAILURE": "danger", "RETRY": "warning", "STARTED": "info"}
    list_display = ("task_id", "state", "task_name", "worker", "date_done")
    list_filter = ("status", "task_name")
    search_fields = ("task_id", "task_name")

    @display(description=_("status"), ordering="status", label=COLOURS)
    def state(self, result: TaskResult) -> str:
        return str(result.status)


@admin.register(IntervalSchedule)
class IntervalAdmin(ModelAdmin):
    pass


@admin.register(CrontabSchedule)
class CrontabAdmin(ModelAdmin, CrontabScheduleAdmin):
    inlines = ()


@admin.register(ClockedSchedule)
class ClockedAdmin(ModelAdmin, ClockedScheduleAdmin):
    inlines = ()


# ── Health ──────────────────────────────────────────────────────────────────────────────────
@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    list_display = ("name", "state", "seen", "detail")

    @display(description=_("state"), label={"alive": "success", "silent": "danger"})
    def state(self, heartbeat: Heartbeat) -> tuple[str, Any]:
        if timezone.now() - heartbeat.seen_at <= FRESH:
            return "alive", _("alive")
        return "silent", _("silent")

    @display(description=_("seen"), ordering="seen_at")
    def seen(self, heartbeat: Heartbeat) -> str:
        return _("%(time)s ago") % {"time": timesince(heartbeat.seen_at)}


@admin.register(AuditRun)
class AuditRunAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "state", "drift", "took")
    list_filter = ("is_clean",)
    change_form_template = "desk/audit_run.html"
    fields = (("started_at", "finished_at"),)

    @display(description=_("state"), label={True: "success", False: "danger"})
    def state(self, run: AuditRun) -> tuple[bool, Any]:
        return run.is_clean, _("clean") if run.is_clean else _("drift")

    @display(description=_("drift"))
    def drift(self, run: AuditRun) -> str:
        return ", ".join(
            f"{finding['name']}: {finding['violations']}"
            for finding in run.findings
            if finding["violations"]
        )

    @display(description=_("took"))
    def took(self, run: AuditRun) -> str:
        return f"{(run.finished_at - run.started_at).total_seconds():.2f} s"


@admin.register(Sweep)
class SweepAdmin(ReadOnlyAdmin):
    """The sweeps, which the relay calls every few seconds."""

    list_display = ("name", "ran_at", "result", "error", "done_until")


@admin.register(DailyRun)
class DailyRunAdmin(ReadOnlyAdmin):
    """The daily runs: each daily work with the days for which it is done."""

    COLOURS = {"done": "success", "failed": "danger", "open": "info"}
    list_display = ("day", "name", "state", "attempts", "finished_at", "outcome")
    list_filter = ("name",)
    date_hierarchy = "day"

    @display(description=_("state"), label=COLOURS)
    def state(self, run: DailyRun) -> tuple[str, Any]:
        if run.finished_at:
            return "done", _("done")
        return ("failed", _("failed")) if run.error else ("open", _("running"))

    @display(description=_("last result"))
    def outcome(self, run: DailyRun) -> str:
        return Truncator(run.error or in_words(run.result)).chars(80)


@admin.register(AccessAttempt)
class FailedLoginAdmin(ModelAdmin, AccessAttemptAdmin):
    """Logins that failed. If a row is deleted, its user may try again."""

    list_display = ("username", "ip_address", "failures_since_start", "attempt_time")
    list_filter = ("attempt_time",)

    @admin.action(description=_("Delete attempts that are older than an hour"))
    def cleanup_expired_attempts(
        self, request: HttpRequest, queryset: QuerySet[AccessAttempt]
    ) -> None:
        # axes reads the moment of the request, and sets it only where a user signs in.
        request.axes_attempt_time = timezone.now()  # type: ignore[attr-defined]
        super().cleanup_expired_attempts(request, queryset)
