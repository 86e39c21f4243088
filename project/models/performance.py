"""The performance runs and their figures."""

from statistics import median
from typing import TypeAlias

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

COMPARED = 10
"""The number of earlier runs with which one is compared."""
FEWEST_COMPARED = 3
"""Fewer of them say nothing about what is usual."""


class PerformanceState(models.TextChoices):
    RUNNING = "running", pgettext_lazy("performance run", "running")
    DONE = "done", pgettext_lazy("performance run", "done")
    STOPPED = "stopped", pgettext_lazy("performance run", "stopped")
    GAVE_WAY = "gave_way", pgettext_lazy("performance run", "gave way to shoppers")
    REFUSED = "refused", pgettext_lazy("performance run", "refused")
    FAILED = "failed", pgettext_lazy("performance run", "failed")
    INTERRUPTED = "interrupted", pgettext_lazy("performance run", "interrupted")


class PerformanceRunQuerySet(models.QuerySet["PerformanceRun"]):
    def running(self) -> "PerformanceRunQuerySet":
        """The run that is going on, or that died: at most one."""
        return self.filter(state=PerformanceState.RUNNING)

    def comparable(self, run: "PerformanceRun") -> "PerformanceRunQuerySet":
        """The last runs before this one that were done with the same rate and time."""
        same = self.filter(
            state=PerformanceState.DONE, rate=run.rate, seconds=run.seconds, p99__isnull=False
        )
        return same.filter(pk__lt=run.pk).order_by("-pk")[:COMPARED]

    def usual_p99(self, run: "PerformanceRun") -> float | None:
        """Return the median of the p99 of the comparable runs; None if there are too few."""
        found = [each.p99 for each in self.comparable(run) if each.p99 is not None]
        return median(found) if len(found) >= FEWEST_COMPARED else None

    def ask_to_stop(self, run_id: int, *, user_id: int | None) -> bool:
        """Ask the run to stop within some seconds; False if it isn't running or was asked."""
        asked = self.running().filter(pk=run_id, stop_asked_at=None)
        return bool(asked.update(stop_asked_at=Now(), stopped_by_id=user_id))


class PerformanceRun(models.Model):
    """One run of the performance test: its plan, how it ended, and its figures.

    Times are milliseconds. An order's is counted from the moment at which it was to be sent, a
    job's from its row to its end.
    """

    State: TypeAlias = PerformanceState

    state = models.CharField(
        _("state"), max_length=11, choices=PerformanceState, default=PerformanceState.RUNNING
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True, default="")
    """The error that ended it."""
    traffic = models.PositiveIntegerField(_("orders of shoppers in a minute"), default=0)
    """The most that it found beside it, at its start and at each of its looks."""
    rate = models.PositiveSmallIntegerField(_("orders per second"))
    seconds = models.PositiveSmallIntegerField(_("seconds"))
    started_at = models.DateTimeField(_("started"), db_default=Now())
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    stop_asked_at = models.DateTimeField(_("asked to stop"), null=True, blank=True)
    stopped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("stopped by"),
    )
    sent = models.PositiveIntegerField(_("orders sent"), default=0)
    placed = models.PositiveIntegerField(_("orders placed"), default=0)
    errors = models.JSONField(_("errors"), default=dict, blank=True)
    """The number of each error: `{"503 busy": 2}`."""
    rate_reached = models.FloatField(_("rate reached"), null=True, blank=True)
    """Placed orders per second."""
    p50 = models.FloatField("p50", null=True, blank=True)
    p95 = models.FloatField("p95", null=True, blank=True)
    p99 = models.FloatField("p99", null=True, blank=True)
    jobs = models.PositiveIntegerField(_("jobs done"), default=0)
    jobs_unfinished = models.PositiveIntegerField(_("jobs not done"), default=0)
    job_p50 = models.FloatField(_("job p50"), null=True, blank=True)
    job_p95 = models.FloatField(_("job p95"), null=True, blank=True)
    job_p99 = models.FloatField(_("job p99"), null=True, blank=True)
    usual_p99 = models.FloatField(_("usual p99"), null=True, blank=True)
    """The median of the runs with which it was compared, if there were enough."""
    is_slower = models.BooleanField(_("slower than usual"), default=False)

    objects = PerformanceRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("performance run")
        verbose_name_plural = _("performance runs")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="running"), name="one_performance_run_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(state__in=PerformanceState.values), name="performance_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state="running", finished_at=None)
                | ~Q(state="running") & Q(finished_at__isnull=False),
                name="performance_run_has_its_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{localtime(self.started_at):%Y-%m-%d %H:%M} {self.get_state_display()}"
