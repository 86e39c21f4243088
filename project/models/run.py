"""Runs of scheduled tasks: the daily ones, and those that an operator asked for."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Min
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from project.jobs.model import Job
from project.jobs.queryset import OPEN, JobQuerySet
from project.models.heartbeat import FORGET_AFTER
from project.names import task_name
from project.text import clean, clean_json

MOST_DEATHS = 1
"""So often a process may die with a day's work before it counts as failing: a release stops it."""
DIED = "its process has ended in the middle, each time"


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
        """Return the day's run, begun now: a new one, or one that was interrupted.

        One that its process has died with twice has that as its error: nobody else could note it.
        """
        run, _created = self.get_or_create(name=name, day=day)
        this = self.filter(pk=run.pk)
        this.update(started_at=Now(), attempts=F("attempts") + 1)
        this.filter(finished_at=None, error="", attempts__gt=MOST_DEATHS + 1).update(error=DIED)
        return run

    def finish(self, run: "DailyRun", result: Any) -> None:
        """Record that the day's work is done."""
        self.filter(pk=run.pk).update(finished_at=Now(), result=clean_json(result), error="")

    def failing(self) -> "DailyRunQuerySet":
        """Days whose last try failed and whose next one is due: each is tried every few minutes."""
        recent = self.filter(finished_at=None, started_at__gt=Now() - FORGET_AFTER)
        return recent.exclude(error="")

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
        return f"{task_name(self.name)} · {self.day}"


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
