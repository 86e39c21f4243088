"""Admin pages of the schedule: its entries, their last results, and "run now"."""

from datetime import time
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from django_celery_beat.admin import PeriodicTaskAdmin, PeriodicTaskForm, TaskSelectWidget
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult
from unfold.decorators import action, display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from project.desk.editing import EditAdmin, EditForm
from project.desk.jobs import COLOURS, JobAdmin, in_zone, moment
from project.desk.word_filters import words_filter
from project.jobs.decisions import CANCEL, RETRY
from project.jobs.queryset import OPEN, Status
from project.models import DailyRun, ManualRun
from project.names import in_words, stored_result
from project.schedule.entries import MOST_EVERY, NAMES, next_run, set_interval, set_time, when
from project.schedule.manual_runs import ask_to_run

STATES = {"SUCCESS": Status.DONE, "FAILURE": Status.FAILED, "STARTED": Status.RUNNING}
"""Celery's state for each of our statuses."""


class ScheduledTaskWidget(UnfoldAdminSelectWidget, TaskSelectWidget):
    """The choice of a registered task, with unfold's styles."""


class ScheduleForm(EditForm, PeriodicTaskForm):
    """The form of an entry: it changes the entry's time or interval in the tables behind it."""

    at = forms.TimeField(
        label=_("At"),
        required=False,
        widget=UnfoldAdminTextInputWidget({"type": "time"}),
        help_text=_("Time of the day, on the days of its crontab."),
    )
    every = forms.IntegerField(
        label=_("Every"),
        required=False,
        min_value=1,
        max_value=MOST_EVERY,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    period = forms.ChoiceField(
        label=_("Period"),
        required=False,
        choices=[
            ("days", _("days")),
            ("hours", _("hours")),
            ("minutes", _("minutes")),
            ("seconds", _("seconds")),
        ],
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = ScheduledTaskWidget()

    def carry_opened_values(self) -> None:
        entry = self.instance
        if entry.interval:
            self.initial["every"] = entry.interval.every
            self.initial["period"] = entry.interval.period
        if at := _time_of(entry):
            self.initial["at"] = f"{at:%H:%M}"
        super().carry_opened_values()

    def changed_columns(self) -> list[str]:
        """Return also the columns that the form and the model's `save` compute."""
        changed = set(self.changed_data)
        computed = {
            "crontab": {"at"},
            "interval": {"every", "period"},
            "task": {"regtask"},
            "last_run_at": {"enabled"},  # emptied when the entry is switched off
        }
        more = {column for column, fields in computed.items() if fields & changed}
        return [*{*super().changed_columns(), *more}]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean()
        if "crontab" in self.changed_data or "interval" in self.changed_data:
            return values  # a row of the tables was chosen directly
        if values.get("at") and "at" in self.changed_data and _time_of(self.instance):
            at = values["at"]
            set_time(self.instance, hour=at.hour, minute=at.minute)
            values["crontab"] = self.instance.crontab
        if values.get("every") and {"every", "period"} & set(self.changed_data):
            set_interval(self.instance, every=values["every"], period=values["period"])
            values["interval"] = self.instance.interval
        return values


def _time_of(entry: PeriodicTask) -> time | None:
    """Return the entry's time of the day, if it has just one."""
    crontab = entry.crontab
    if crontab and crontab.hour.isdecimal() and crontab.minute.isdecimal():
        return time(int(crontab.hour), int(crontab.minute))
    return None


if admin.site.is_registered(PeriodicTask):
    admin.site.unregister(PeriodicTask)


@admin.register(PeriodicTask)
class ScheduleAdmin(EditAdmin, PeriodicTaskAdmin):
    """The schedule's entries."""

    form = ScheduleForm
    change_form_template = "desk/periodic_task.html"
    asks_reason = True
    date_hierarchy = None
    list_display: Any = (
        "title",
        "is_on",
        "schedule",
        "last_run",
        "next_run",
        "outcome",
        "last_result",
    )
    list_filter = ("enabled",)
    actions = ("run_now", "enable_tasks", "disable_tasks")
    readonly_fields = ("crontab_translation",)
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PeriodicTask]:
        results = TaskResult.objects.filter(periodic_task_name=OuterRef("name"))
        latest = results.order_by("-date_done")
        days = DailyRun.objects.filter(name=OuterRef("task")).order_by("-started_at")
        by_hand = ManualRun.objects.filter(periodic_task=OuterRef("name")).order_by("-created_at")
        return (
            super()
            .get_queryset(request)
            .annotate(
                beat_state=Subquery(latest.values("status")[:1]),
                beat_text=Subquery(latest.values("result")[:1]),
                beat_at=Subquery(latest.values("date_done")[:1]),
                hand_state=Subquery(by_hand.values("status")[:1]),
                hand_error=Subquery(by_hand.values("error")[:1]),
                hand_result=Subquery(by_hand.values("result")[:1]),
                hand_at=Subquery(by_hand.values("created_at")[:1]),
                hand_id=Subquery(by_hand.values("pk")[:1]),
                day_at=Subquery(days.values("started_at")[:1]),
                day_finished_at=Subquery(days.values("finished_at")[:1]),
                day_error=Subquery(days.values("error")[:1]),
                day_result=Subquery(days.values("result")[:1]),
            )
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes the shop's own entries, which nobody could make again: they go off."""
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or obj.name not in NAMES)

    # ── Columns ─────────────────────────────────────────────────────────────────────────────

    @display(description=_("name"), ordering="name")
    def title(self, task: PeriodicTask) -> str | Promise:
        return _(task.name)

    @display(description=_("on"), ordering="enabled", boolean=True)
    def is_on(self, task: PeriodicTask) -> bool:
        return bool(task.enabled)

    @display(description=in_zone(_("when")))
    def schedule(self, task: PeriodicTask) -> str:
        return when(task)

    @display(description=_("last run"))
    def last_run(self, task: Any) -> SafeString:
        if task.day_at:  # beat's ticks only look if the day's work is done
            return moment(task.day_finished_at or task.day_at)
        return moment(
            max(filter(None, [task.last_run_at, task.beat_at, task.hand_at]), default=None)
        )

    @display(description=in_zone(_("next run")))
    def next_run(self, task: PeriodicTask) -> SafeString:
        return moment(next_run(task, now=timezone.now()))

    @display(description=_("outcome"), label=COLOURS)
    def outcome(self, task: Any) -> tuple[str, str | Promise] | None:
        state = task.hand_state if _is_by_hand(task) else STATES.get(task.beat_state)
        if task.day_at and state not in OPEN:
            state = _day_state(task)
        return (str(state), Status(state).label) if state else None

    @display(description=_("last result"))
    def last_result(self, task: Any) -> str | SafeString:
        if task.day_at:
            return Truncator(task.day_error or in_words(task.day_result)).chars(80)
        if not _is_by_hand(task):
            return Truncator(stored_result(task.beat_text)).chars(80)
        url = reverse("admin:project_manualrun_change", args=[task.hand_id])
        result = in_words(task.hand_result) if task.hand_result else _("run by hand")
        text = Truncator(task.hand_error or str(result)).chars(80)
        return format_html('<a href="{}" class="text-link">{}</a>', url, text)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        time_of_day = ("at",) if obj and _time_of(obj) else ()
        interval = (("every", "period"),) if obj and obj.interval else ()
        own = ("name", "enabled", *time_of_day, *interval)
        rest = ("regtask", "task", "interval", "crontab", "crontab_translation", "clocked")
        tables = (
            "description",
            *rest,
            "start_time",
            "one_off",
            "args",
            "kwargs",
            "queue",
            "expires",
        )
        if obj is None:
            return ((None, {"fields": ("name", "enabled", *tables)}),)
        return (
            (None, {"fields": own}),
            (_("What runs, and the tables behind it"), {"fields": tables, "classes": ["collapse"]}),
        )

    def crontab_translation(self, obj: Any) -> str:
        return when(obj) if obj and obj.pk else "–"

    crontab_translation.short_description = _("in words")  # type: ignore[attr-defined]

    # ── Run now ─────────────────────────────────────────────────────────────────────────────

    @action(description=_("Run now"), permissions=["change"])
    def run_now(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        for task in queryset:
            ask_to_run(task, user_id=request.user.pk)
        messages.success(request, _("It runs within some seconds. The result is shown here."))

    def get_urls(self) -> list[URLPattern]:
        run = path(
            "<int:pk>/run/",
            self.admin_site.admin_view(require_POST(self._run_view)),
            name="periodictask_run",
        )
        return [run, *super().get_urls()]

    def _run_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        if not self.has_change_permission(request):
            raise PermissionDenied
        task = get_object_or_404(PeriodicTask, pk=pk)
        run = ask_to_run(task, user_id=request.user.pk)
        self.record_action(request, _("Run now"), [task])
        return redirect("admin:project_manualrun_change", run.pk)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        task = self.get_object(request, object_id) if object_id else None
        context = extra_context or {}
        if task is not None:
            context |= {
                "entry": task,
                "does": gettext(task.description) if task.description else "",
                "when": when(task),
                "next_run": next_run(task, now=timezone.now()),
                "run_url": reverse("admin:periodictask_run", args=[task.pk])
                if self.has_change_permission(request)
                else "",
            }
        return super().changeform_view(request, object_id, form_url, context)


def _day_state(task: Any) -> Status:
    """Return the state of the daily work's last run, as *Daily runs* shows it."""
    if task.day_finished_at:
        return Status.DONE
    return Status.FAILED if task.day_error else Status.RUNNING


def _is_by_hand(task: Any) -> bool:
    """Tell whether an operator asked for the entry's last run."""
    return bool(task.hand_at and (task.beat_at is None or task.hand_at > task.beat_at))


@admin.register(ManualRun)
class ManualRunAdmin(JobAdmin):
    """Runs that operators asked for."""

    decisions = (RETRY, CANCEL)
    list_display = ("about", "state", "user", "reason", "queued", "finished")
    list_filter = ("status", ("periodic_task", words_filter(gettext)))
    search_help_text = _("Id of the run, or words of the error.")
    list_select_related = ("user",)
    about_fields = ("user",)

    def for_order(self, order_id: UUID) -> QuerySet[Any]:
        return ManualRun.objects.none()  # it is about the schedule: no query

    def summary(self, job: ManualRun) -> str:
        return str(_(job.periodic_task))
