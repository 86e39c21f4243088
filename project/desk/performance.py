"""The performance runs at the desk: their history, one run beside the last ones, and its stop."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display

from project.desk.jobs import moment, untranslated
from project.desk.lines import Line, LineChart, draw
from project.desk.long_lists import LongList
from project.desk.read_only import ReadOnly
from project.desk.record_page import RecordPage
from project.models import PerformanceRun

SHOWN = 40
"""The number of runs in the chart."""
FIGURES: tuple[tuple[str, str | Promise], ...] = (
    ("p50", _("Order, p50")),
    ("p95", _("Order, p95")),
    ("p99", _("Order, p99")),
    ("job_p50", _("Job, p50")),
    ("job_p95", _("Job, p95")),
    ("job_p99", _("Job, p99")),
)
State = PerformanceRun.State


@admin.register(PerformanceRun)
class PerformanceRunAdmin(ReadOnly, LongList, RecordPage):
    COLOURS = {
        State.RUNNING.value: "info",
        State.DONE.value: "success",
        State.STOPPED.value: "warning",
        State.GAVE_WAY.value: "warning",
        State.REFUSED.value: "warning",
        State.FAILED.value: "danger",
        State.INTERRUPTED.value: "danger",
    }
    list_display = (
        *("started", "state_words", "plan", "placed", "error_count"),
        *("p50_words", "p95_words", "p99_words", "job_words"),
    )
    list_filter = ("state",)
    change_list_template = "desk/performance_runs.html"
    change_form_template = "desk/performance_run.html"
    fields = (
        ("started_at", "finished_at"),
        ("plan", "rate_reached"),
        ("sent", "placed"),
        ("jobs", "jobs_unfinished"),
        ("traffic", "error_words"),
        ("stopped_by", "reason_words"),
    )
    readonly_fields = ("plan", "error_words", "reason_words")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        latest = PerformanceRun.objects.filter(state=State.DONE).order_by("-pk").first()
        history = _chart(_up_to(latest)) if latest else None
        context = {"history": history, "schedule_url": _schedule_url(request)}
        return super().changelist_view(request, context | (extra_context or {}))

    def page_context(self, request: HttpRequest, run: PerformanceRun) -> dict[str, Any]:
        before = list(PerformanceRun.objects.comparable(run))
        return {
            "subtitle": None,
            "title": gettext("Performance run of %(time)s")
            % {"time": f"{localtime(run.started_at):%Y-%m-%d %H:%M}"},
            "run": run,
            "state_colour": self.COLOURS[run.state],
            "compared": len(before),
            "figures": [
                (label, _ms(getattr(run, name)), *_beside(run, before, name))
                for name, label in FIGURES
            ],
            "history": _chart(_up_to(run)),
            "stop_url": reverse("admin:project_performancerun_stop", args=[run.pk])
            if run.state == State.RUNNING and not run.stop_asked_at and self._may_stop(request)
            else "",
        }

    # ── Columns ─────────────────────────────────────────────────────────────────────────────

    @display(description=_("started"))
    def started(self, run: PerformanceRun) -> SafeString:
        return moment(run.started_at)

    @display(description=_("state"), label=COLOURS)
    def state_words(self, run: PerformanceRun) -> tuple[str, str]:
        return run.state, run.get_state_display()

    @display(description=_("plan"))
    def plan(self, run: PerformanceRun) -> str:
        return gettext("%(rate)d/s for %(seconds)d s") % {"rate": run.rate, "seconds": run.seconds}

    @display(description=_("errors"))
    def error_count(self, run: PerformanceRun) -> int:
        return sum(run.errors.values())

    @display(description="p50")
    def p50_words(self, run: PerformanceRun) -> str:
        return _ms(run.p50)

    @display(description="p95")
    def p95_words(self, run: PerformanceRun) -> str:
        return _ms(run.p95)

    @display(description="p99")
    def p99_words(self, run: PerformanceRun) -> str | SafeString:
        words = _ms(run.p99)
        return (
            format_html('<strong class="desk-bad">{}</strong>', words) if run.is_slower else words
        )

    @display(description=_("job p95"))
    def job_words(self, run: PerformanceRun) -> str:
        return _ms(run.job_p95)

    @display(description=_("errors"))
    def error_words(self, run: PerformanceRun) -> str | SafeString:
        if not run.errors:
            return "–"
        comma = pgettext("between parts", ", ")
        return untranslated(comma.join(f"{name}: {count}" for name, count in run.errors.items()))

    @display(description=_("reason"))
    def reason_words(self, run: PerformanceRun) -> str | SafeString:
        return untranslated(run.reason) if run.reason else "–"

    # ── Stop ────────────────────────────────────────────────────────────────────────────────

    def get_urls(self) -> list[URLPattern]:
        stop = path(
            "<int:pk>/stop/",
            self.admin_site.admin_view(require_POST(self._stop_view)),
            name="project_performancerun_stop",
        )
        return [stop, *super().get_urls()]

    def _stop_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        if not self._may_stop(request):
            raise PermissionDenied
        run = get_object_or_404(PerformanceRun, pk=pk)
        if PerformanceRun.objects.ask_to_stop(pk, user_id=request.user.pk):
            self.record_action(request, _("Stop"), [run])
            messages.success(request, _("It stops within some seconds, and takes its orders away."))
        else:
            messages.warning(request, _("Nothing to do: it doesn't run any more."))
        return redirect("admin:project_performancerun_change", pk)

    def _may_stop(self, request: HttpRequest) -> bool:
        return request.user.has_perm("project.change_performancerun")


def _ms(value: float | None) -> str:
    return "–" if value is None else gettext("%(count)s ms") % {"count": f"{value:.0f}"}


def _beside(run: PerformanceRun, before: list[PerformanceRun], name: str) -> tuple[str, str, bool]:
    """Return the median of the runs before, the change against it, and whether that is too much."""
    values = sorted(value for each in before if (value := getattr(each, name)) is not None)
    value = getattr(run, name)
    if not values:
        return "–", "–", False
    middle = len(values) // 2
    usual = values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2
    if value is None or not usual:
        return _ms(usual), "–", False
    return _ms(usual), f"{value / usual * 100 - 100:+.0f} %", name == "p99" and run.is_slower


def _up_to(run: PerformanceRun) -> QuerySet[PerformanceRun]:
    """Return the last runs that were done with this one's plan, the newest first."""
    like_it = PerformanceRun.objects.filter(
        state=State.DONE, rate=run.rate, seconds=run.seconds, pk__lte=run.pk
    )
    return like_it.order_by("-pk")[:SHOWN]


def _chart(newest_first: QuerySet[PerformanceRun]) -> dict[str, Any] | None:
    """Return the chart of these runs and its first and last day; None without two of them."""
    runs = list(newest_first)[::-1]
    if len(runs) < 2:
        return None
    times = [f"{localtime(run.started_at):%Y-%m-%d %H:%M}" for run in runs]
    picture: LineChart = draw(
        [
            Line(
                name=name,
                label=name,
                values=[getattr(run, name) for run in runs],
                words=[
                    f"{time} · {name} {_ms(getattr(run, name))}"
                    for time, run in zip(times, runs, strict=True)
                ],
            )
            for name in ("p50", "p95", "p99")
        ]
    )
    return {"picture": picture, "first": times[0], "last": times[-1], "count": len(runs)}


def _schedule_url(request: HttpRequest) -> str:
    """Return the page of the run's entry in the schedule, where it is run and switched on."""
    from django_celery_beat.models import PeriodicTask  # the admin's apps are ready by then

    entry = PeriodicTask.objects.filter(task="orders.tasks.performance").first()
    if entry is None or not request.user.has_perm("django_celery_beat.view_periodictask"):
        return ""
    return reverse("admin:django_celery_beat_periodictask_change", args=[entry.pk])
