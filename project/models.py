"""State of the processes: heartbeats, marks of the sweeps, audit runs, daily and manual runs."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Min
from django.db.models.functions import Greatest, Now
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from project.jobs.model import Job
from project.jobs.queryset import OPEN, JobQuerySet
from project.names import sweep_name
from project.text import clean, clean_json


class HeartbeatQuerySet(models.QuerySet["Heartbeat"]):
    def beat(self, name: str, **detail: Any) -> None:
        """Record that `name` is alive now, with its own detail."""
        self.update_or_create(name=name, defaults={"seen_at": Now(), "detail": clean_json(detail)})


class Heartbeat(models.Model):
    """The last heartbeat of a relay, worker or beat, on the database's clock."""

    name = models.CharField(_("name"), max_length=300, primary_key=True)
    """`SERVICE@host`; a host's name may have 253 characters."""
    seen_at = models.DateTimeField(_("seen"), db_default=Now())
    detail = models.JSONField(_("detail"), default=dict, blank=True)

    objects = HeartbeatQuerySet.as_manager()

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


OVERLAP = timedelta(seconds=60)
"""The time by which a sweep looks back before its mark. A row has the time of its statement, but
is visible only after its commit: a late commit must not be missed."""


class SweepQuerySet(models.QuerySet["Sweep"]):
    def begin_of(self, name: str) -> datetime | None:
        """Return the begin of the sweep's window: its mark less OVERLAP; None if it has none."""
        mark = self.filter(name=name).values_list("done_until", flat=True).first()
        return mark and mark - OVERLAP

    def advance(self, name: str, until: datetime) -> None:
        """Set the sweep's mark: it has seen all changes up to then. The mark never goes back."""
        self.get_or_create(name=name)
        self.filter(name=name).update(done_until=Greatest("done_until", until))

    def note(self, name: str, *, result: str = "", error: str = "") -> None:
        """Record that a sweep ran now, with its result."""
        values = {"result": clean(result, longest=200), "error": clean(error, longest=1000)}
        self.update_or_create(name=name, defaults={"ran_at": Now(), **values})


class Sweep(models.Model):
    """A sweep that the relay calls regularly: its mark, and the result of its last run."""

    name = models.CharField(_("name"), max_length=60, primary_key=True)
    done_until = models.DateTimeField(_("done until"), null=True, blank=True)
    """The mark: the sweep has seen all changes before it. Only for sweeps with a mark."""
    ran_at = models.DateTimeField(_("last run"), null=True, blank=True)
    result = models.CharField(
        _("last result"), max_length=200, blank=True, default="", db_default=""
    )
    error = models.TextField(_("error"), blank=True, default="", db_default="")

    objects = SweepQuerySet.as_manager()

    class Meta:
        verbose_name = _("sweep")
        verbose_name_plural = _("sweeps")
        ordering = ["name"]

    def __str__(self) -> str:
        return sweep_name(self.name)


class AuditRun(models.Model):
    """One audit: its time, its outcome, and the figure of each invariant."""

    started_at = models.DateTimeField(_("started"), db_default=Now())
    finished_at = models.DateTimeField(_("finished"), db_default=Now())
    is_clean = models.BooleanField(_("clean"))
    findings = models.JSONField(_("findings"), default=list)

    class Meta:
        verbose_name = _("audit run")
        verbose_name_plural = _("audit runs")
        ordering = ["-started_at"]

    def __str__(self) -> str:
        state = _("clean") if self.is_clean else _("drift")
        return f"{localtime(self.started_at):%Y-%m-%d %H:%M} {state}"


class DailyRunQuerySet(models.QuerySet["DailyRun"]):
    def first_day(self, name: str) -> date | None:
        """Return the first day on record for this work."""
        first: date | None = self.filter(name=name).aggregate(day=Min("day"))["day"]
        return first

    def done(self, name: str, days: Iterable[date]) -> set[date]:
        """Return the days among these for which the work is done."""
        runs = self.filter(name=name, day__in=days, finished_at__isnull=False)
        return set(runs.values_list("day", flat=True))

    def begin(self, name: str, day: date) -> "DailyRun":
        """Return the day's run, begun now: a new one, or one that was interrupted."""
        run, _created = self.get_or_create(name=name, day=day)
        self.filter(pk=run.pk).update(started_at=Now(), attempts=F("attempts") + 1)
        return run

    def finish(self, run: "DailyRun", result: Any) -> None:
        """Record that the day's work is done."""
        self.filter(pk=run.pk).update(finished_at=Now(), result=clean_json(result), error="")

    def fail(self, run: "DailyRun", error: str) -> None:
        """Record why the work failed; it is tried again."""
        self.filter(pk=run.pk).update(error=clean(error, longest=1000))


class DailyRun(models.Model):
    """Daily work for one day: it may begin several times, and is done once it finishes."""

    name = models.CharField(_("name"), max_length=200)
    """The work's Celery task."""
    day = models.DateField(_("day"))
    """In the shop's time zone."""
    started_at = models.DateTimeField(_("started"), db_default=Now())
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0, db_default=0)
    result = models.JSONField(_("result"), null=True, blank=True)
    error = models.TextField(_("error"), blank=True, default="", db_default="")

    objects = DailyRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("daily run")
        verbose_name_plural = _("daily runs")
        ordering = ["-day", "name"]
        constraints = [
            models.UniqueConstraint(fields=["name", "day"], name="daily_run_once_per_day"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.day}"


class ManualRunQuerySet(JobQuerySet):
    def going_on(self) -> models.QuerySet[Any]:
        """Runs that are queued or running."""
        return self.filter(status__in=OPEN)


class ManualRun(Job):
    """One run of a scheduled task that an operator asked for; the relay dispatches it as a job."""

    queue = "default"
    task = "project.tasks.run_now"
    app = "schedule"
    heartbeat = timedelta(seconds=10)
    max_duration = timedelta(hours=2)

    periodic_task = models.CharField(_("entry"), max_length=200)
    """The entry's name in the schedule."""
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("asked by"),
    )

    objects: ClassVar = ManualRunQuerySet.as_manager()

    class Meta(Job.Meta):
        verbose_name = _("run by hand")
        verbose_name_plural = _("runs by hand")
