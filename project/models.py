"""State of the processes: heartbeats, marks of the sweeps, audit, daily and manual runs, limits."""

import os
import socket
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, TypeAlias
from uuid import UUID

from django.conf import settings
from django.db import connections, models
from django.db.models import F, Max, Min, Q, Value
from django.db.models.functions import Greatest, Least, Now
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from project.jobs.model import Job
from project.jobs.queryset import OPEN, JobQuerySet
from project.limits.known import key_in_words, label_of
from project.names import queue_name, sweep_name, task_name
from project.text import clean, clean_json, isolate


def process_name(service: str) -> str:
    """Return how this process is called among the heartbeats: `relay@host:pid`.

    `service` may have its host already, as Celery's workers do. With the pid, because two
    processes of a service on one host must not sign for each other.
    """
    host = "" if "@" in service else f"@{socket.gethostname()}"
    return f"{service}{host}:{os.getpid()}"


FORGET_AFTER = timedelta(hours=1)
"""How long a silent process is shown while others of its service live."""


class HeartbeatQuerySet(models.QuerySet["Heartbeat"]):
    def beat(self, name: str, **detail: Any) -> None:
        """Record that `name` is alive now, with its own detail.

        The first time it takes the place of a dead process of its service on its host, which a
        supervisor has started anew; every time, those are forgotten that have been silent for
        FORGET_AFTER while it lives.
        """
        _heartbeat, is_new = self.update_or_create(
            name=name, defaults={"seen_at": Now(), "detail": clean_json(detail)}
        )
        others = self.exclude(name=name)
        if is_new and (replaced := _dead_predecessor(others.filter(name__startswith=_stem(name)))):
            self.filter(name=replaced).delete()
        service = name.partition("@")[0]
        others.filter(name__startswith=f"{service}@", seen_at__lt=Now() - FORGET_AFTER).delete()

    def retire(self, name: str) -> None:
        """Forget a process that stops as it was asked to, unless it is the last of its service.

        The last one stays, so that the health pages say since when the service isn't there.
        """
        service = name.partition("@")[0]
        if self.filter(name__startswith=f"{service}@").exclude(name=name).exists():
            self.filter(name=name).delete()


def _stem(name: str) -> str:
    """Return `SERVICE@host:`, what the processes of a service on one host have in common."""
    return name.rpartition(":")[0] + ":"


def _dead_predecessor(candidates: models.QuerySet["Heartbeat"]) -> str | None:
    """Return the one of them seen last whose process is gone from this host."""
    for name in candidates.order_by("-seen_at").values_list("name", flat=True):
        pid = name.rpartition(":")[2]
        if pid.isascii() and pid.isdecimal() and not _is_running(int(pid)):
            return name
    return None


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


class Heartbeat(models.Model):
    """The last heartbeat of a relay, worker or beat, on the database's clock."""

    name = models.CharField(_("name"), max_length=300, primary_key=True)
    """`SERVICE@host:pid`; a host's name may have 253 characters."""
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
"""How far a sweep goes back behind its mark. A row's time is that of its statement, but others
see it only after its commit: one that is committed late must not be passed by."""
_TIME = models.DateTimeField()


class SweepQuerySet(models.QuerySet["Sweep"]):
    # ── How far it is: `project.schedule.passes` ─────────────────────────────────────────────
    def begin_pass(self, name: str, *, until: datetime) -> None:
        """Note that a pass over all that changed up to `until` has begun."""
        self.filter(name=name).update(
            pass_until=until, page_at=None, page_key=None, left_since=None
        )

    def keep_position(
        self, name: str, *, until: datetime, at: datetime, key: UUID, left_since: datetime | None
    ) -> None:
        """Note behind which row that pass goes on, and the first row that it had to leave."""
        self.filter(name=name, pass_until=until).update(
            page_at=at, page_key=key, left_since=Least("left_since", Value(left_since, _TIME))
        )

    def end_pass(self, name: str, *, until: datetime, left_since: datetime | None) -> None:
        """Move the sweep's mark to the pass's end, or to the first row left. It never goes back."""
        reached = Least(Value(until, _TIME), F("left_since"), Value(left_since, _TIME))
        self.filter(name=name, pass_until=until).update(
            done_until=Greatest("done_until", reached),
            pass_until=None,
            page_at=None,
            page_key=None,
            left_since=None,
        )

    # ── How its runs end: `project.schedule.sweeps` ──────────────────────────────────────────
    def note_done(self, name: str, *, result: str | None, allow: timedelta) -> None:
        """Note that a run is done; without another within `allow` the sweep is late.

        `result` None: there was nothing to say, and the last result stays.
        """
        values = {"ran_at": Now(), "done_at": Now(), "late_after": Now() + allow, "error": ""}
        if result is not None:
            values["result"] = clean(result, longest=200)
        self.update_or_create(name=name, defaults=values)

    def note_error(self, name: str, error: str, *, allow: timedelta) -> None:
        """Note why a run failed. It is late `allow` after the last one that was done."""
        first = {"name": name, "late_after": Now() + allow}
        values = {"ran_at": Now(), "error": clean(error, longest=1000)}
        self.update_or_create(name=name, defaults=values, create_defaults=first | values)
        self.filter(name=name, late_after=None).update(late_after=Now() + allow)

    def expect_only(self, names: Iterable[str]) -> None:
        """Expect no run of other sweeps: this version has none of theirs."""
        self.exclude(name__in=list(names)).update(late_after=None)

    def late(self) -> models.QuerySet["Sweep"]:
        """Return the sweeps that should have been done by now, whatever keeps them."""
        return self.filter(late_after__lt=Now())


class Sweep(models.Model):
    """A sweep that the relay calls regularly: its mark, and the result of its last run."""

    name = models.CharField(_("name"), max_length=60, primary_key=True)
    done_until = models.DateTimeField(_("done until"), null=True, blank=True)
    """The mark: the sweep has seen all changes before it. Only for sweeps with a mark."""
    pass_until = models.DateTimeField(null=True, blank=True, editable=False)
    """The end of the pass in progress."""
    page_at = models.DateTimeField(null=True, blank=True, editable=False)
    page_key = models.UUIDField(null=True, blank=True, editable=False)
    """With `page_at` the last row that the pass has seen."""
    left_since = models.DateTimeField(null=True, blank=True, editable=False)
    """The time of the first row that the pass had to leave."""
    ran_at = models.DateTimeField(_("last run"), null=True, blank=True)
    done_at = models.DateTimeField(_("last done"), null=True, blank=True)
    late_after = models.DateTimeField(null=True, blank=True, editable=False)
    """When it must have been done again; None: nobody expects it."""
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


class DeferralCountQuerySet(models.QuerySet["DeferralCount"]):
    def add(self, writer: str, items: int) -> None:
        """Add to the writer's count: all processes share it."""
        table = self.model._meta.db_table
        with connections[self.db].cursor() as cursor:
            cursor.execute(
                f'INSERT INTO "{table}" AS count (writer, items, changed_at)'
                " VALUES (%s, %s, now()) ON CONFLICT (writer) DO UPDATE"
                " SET items = count.items + EXCLUDED.items, changed_at = EXCLUDED.changed_at",
                [writer, items],
            )


class DeferralCount(models.Model):
    """How many items of all processes' group-commit writers waited for what others had locked.

    Web processes come and go, and each knows of itself only: `/metrics` shows this.
    """

    writer = models.CharField(_("writer"), max_length=60, primary_key=True)
    items = models.BigIntegerField(_("deferrals"), default=0, db_default=0)
    changed_at = models.DateTimeField(_("changed"), db_default=Now())

    objects = DeferralCountQuerySet.as_manager()

    class Meta:
        verbose_name = _("count of deferrals")
        verbose_name_plural = _("counts of deferrals")
        ordering = ["writer"]

    def __str__(self) -> str:
        return f"{self.writer}: {self.items}"


class PausedQueue(models.Model):
    """A queue that an operator has paused: the relay dispatches none of its jobs.

    `project.queues.pausing` writes it.
    """

    queue = models.CharField(_("queue"), max_length=20, primary_key=True)
    paused_at = models.DateTimeField(_("paused since"), db_default=Now())
    paused_by = models.CharField(_("paused by"), max_length=150, blank=True, default="")
    reason = models.CharField(_("reason"), max_length=200, blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("paused queue")
        verbose_name_plural = _("paused queues")
        ordering = ["queue"]

    def __str__(self) -> str:
        return queue_name(self.queue)


class QueueSample(models.Model):
    """One minute of a queue: what waited at its end, and what was finished in it.

    `project.queues.samples` writes it.
    """

    queue = models.CharField(_("queue"), max_length=20)
    minute = models.DateTimeField(_("minute"))
    """Its beginning."""
    depth = models.PositiveIntegerField(_("waiting"))
    """Jobs that were due and not claimed."""
    oldest = models.FloatField(_("oldest waits for"))
    """Seconds."""
    done = models.PositiveIntegerField(_("done"))
    failed = models.PositiveIntegerField(_("failed"))
    """With those whose outcome is unknown."""
    median = models.FloatField(_("median duration"), null=True)
    """Seconds from the time at which a job was due to its end; null if none was done."""
    slowest = models.FloatField(_("95th percentile"), null=True)

    class Meta:
        verbose_name = _("sample of a queue")
        verbose_name_plural = _("samples of queues")
        ordering = ["minute", "queue"]
        constraints = [
            models.UniqueConstraint(fields=["minute", "queue"], name="queue_sample_once"),
        ]

    def __str__(self) -> str:
        return f"{queue_name(self.queue)} {localtime(self.minute):%Y-%m-%d %H:%M}"


class AuditRunQuerySet(models.QuerySet["AuditRun"]):
    def mark(self) -> datetime | None:
        """Return the time before which all changes have been audited and found clean."""
        return self.filter(is_clean=True, until__isnull=False).aggregate(mark=Max("until"))["mark"]

    def last_of_each_scope(self) -> list["AuditRun"]:
        """Return the last audit of each scope that has one, the newest first."""
        recent, whole = (
            self.filter(scope=scope).order_by("-started_at")[:1] for scope in AuditScope
        )
        return list(recent.union(whole, all=True).order_by("-started_at"))


class AuditScope(models.TextChoices):
    RECENT = "recent", _("what changed")
    ALL = "all", _("everything")


class AuditRun(models.Model):
    """One audit: its time, its outcome, and the figure of each invariant."""

    Scope: TypeAlias = AuditScope

    scope = models.CharField(
        _("scope"), max_length=6, choices=AuditScope, default=AuditScope.ALL, db_default="all"
    )
    until = models.DateTimeField(_("up to"), null=True, blank=True)
    """The audit saw all changes before it."""
    started_at = models.DateTimeField(_("started"), db_default=Now())
    finished_at = models.DateTimeField(_("finished"), db_default=Now())
    is_clean = models.BooleanField(_("clean"))
    findings = models.JSONField(_("findings"), default=list)

    objects = AuditRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit run")
        verbose_name_plural = _("audit runs")
        ordering = ["-started_at"]
        indexes = [
            models.Index(fields=["scope", "-started_at"], name="auditrun_latest"),
            models.Index(fields=["-until"], name="auditrun_mark", condition=Q(is_clean=True)),
            models.Index(fields=["-started_at", "-id"], name="audit_run_newest"),
            models.Index(
                fields=["-started_at", "-id"], name="audit_run_drift", condition=Q(is_clean=False)
            ),
        ]

    def __str__(self) -> str:
        state = _("clean") if self.is_clean else _("drift")
        return f"{localtime(self.started_at):%Y-%m-%d %H:%M} {state}"


class AuditProgress(models.Model):
    """How far the audit of everything is: one row while it runs, or after it was interrupted."""

    started_at = models.DateTimeField(db_default=Now())
    until = models.DateTimeField()
    """The audit sees all changes before it."""
    subject = models.CharField(max_length=40, blank=True, default="")
    after = models.CharField(max_length=40, blank=True, default="")
    """The last key of the subject that is checked."""
    findings = models.JSONField(default=list)

    class Meta:
        verbose_name = _("audit in progress")
        verbose_name_plural = _("audits in progress")

    def __str__(self) -> str:
        return f"{self.subject} {self.after}"

    def keep(self, *, subject: str, after: object, findings: list[dict[str, Any]]) -> None:
        """Note that the subject's keys up to this one are checked, with the figures so far."""
        self.subject, self.after, self.findings = subject, str(after), findings
        self.save(update_fields=["subject", "after", "findings"])


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


class JobDecision(models.Model):
    """One decision of an operator about one job. Rows are only inserted.

    `project.desk.decision_log` writes it, in the transaction that decides. It outlives the job.
    """

    job_id = models.UUIDField(_("job"), db_index=True)
    order_id = models.UUIDField(_("order"), null=True)
    app = models.CharField(_("kind"), max_length=20)
    """The job's model, by its `Job.app`."""
    label = models.CharField(_("decision"), max_length=60)
    """The decision in words, untranslated, as in the audit log."""
    error = models.CharField(_("error"), max_length=500, blank=True, default="", db_default="")
    """Why the job waited for a person, when it was decided."""
    reason = models.CharField(_("reason"), max_length=200, blank=True, default="", db_default="")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("by"),
    )
    decided_at = models.DateTimeField(_("when"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("decision about a job")
        verbose_name_plural = _("decisions about jobs")
        ordering = ["pk"]
        indexes = [
            models.Index(
                fields=["order_id"],
                name="job_decision_of_order",
                condition=Q(order_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.label


class Limit(models.Model):
    """A limit that an operator changed: it replaces the setting's. `project.limits` reads it."""

    class Period(models.IntegerChoices):
        MINUTE = 60, _("a minute")
        HOUR = 3600, _("an hour")
        DAY = 86_400, _("a day")

    name = models.CharField(_("limit"), max_length=40, primary_key=True, editable=False)
    """Its name in `project.limits.known`."""
    allowed = models.PositiveIntegerField(
        pgettext_lazy("limit", "number"),
        null=True,
        blank=True,
        help_text=_("Empty: as the setting says. 0: no limit."),
    )
    seconds = models.PositiveIntegerField(_("period"), choices=Period, null=True, blank=True)

    class Meta:
        verbose_name = _("limit")
        verbose_name_plural = _("limits")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(allowed=None, seconds=None)
                | Q(allowed__isnull=False, seconds__isnull=False, seconds__gt=0),
                name="limit_is_a_rate",
            ),
        ]

    def __str__(self) -> str:
        return label_of(self.name)


class RefusalCountQuerySet(models.QuerySet["RefusalCount"]):
    def add(self, limit: str) -> None:
        """Count one refusal by this limit; all processes share the count.

        It doesn't wait for the disk, so the row is locked for microseconds.
        """
        table = self.model._meta.db_table
        with connections[self.db].cursor() as cursor:
            cursor.execute(
                "WITH quickly AS MATERIALIZED (SELECT"
                " set_config('synchronous_commit', 'off', true),"
                " set_config('lock_timeout', '500ms', true))"
                f' INSERT INTO "{table}" AS count (name, refusals, changed_at)'
                " SELECT %s, 1, now() FROM quickly ON CONFLICT (name) DO UPDATE"
                " SET refusals = count.refusals + 1, changed_at = EXCLUDED.changed_at",
                [limit],
            )


class RefusalCount(models.Model):
    """How often a limit refused something, in all processes: `/metrics` shows it."""

    name = models.CharField(_("limit"), max_length=40, primary_key=True)
    """Its name in `project.limits.known`."""
    refusals = models.BigIntegerField(_("refusals"), default=0, db_default=0)
    changed_at = models.DateTimeField(_("changed"), db_default=Now())

    objects = RefusalCountQuerySet.as_manager()

    class Meta:
        verbose_name = _("count of refusals")
        verbose_name_plural = _("counts of refusals")
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{label_of(self.name)}: {self.refusals}"


class LimitCounterQuerySet(models.QuerySet["LimitCounter"]):
    def current(self) -> "LimitCounterQuerySet":
        """Counters whose window hasn't ended."""
        return self.filter(ends_at__gt=Now())

    def blocked(self) -> "LimitCounterQuerySet":
        """Counters that have reached their limit."""
        return self.current().filter(used__gte=F("allowed"))


class LimitCounter(models.Model):
    """The count of one key in its current window; only `project.limits.counters` writes it."""

    name = models.CharField(_("limit"), max_length=40)
    key = models.CharField(_("key"), max_length=254)
    """An address, an e-mail address, a phone number …; of a shared limit the number of its row."""
    used = models.PositiveIntegerField(_("counted"))
    allowed = models.PositiveIntegerField(_("allowed"))
    """The limit at the last count; of a shared limit this row's part of it."""
    ends_at = models.DateTimeField(_("counted until"))

    objects = LimitCounterQuerySet.as_manager()

    class Meta:
        verbose_name = _("counted key")
        verbose_name_plural = _("counted keys")
        ordering = ["-ends_at", "name", "key"]
        constraints = [
            models.UniqueConstraint(fields=["name", "key"], name="limit_counter_once"),
        ]
        # An increment changes no indexed column, so it needs no new index entries (HOT).
        indexes = [models.Index(fields=["ends_at"], name="limit_counter_ends")]

    def __str__(self) -> str:
        return f"{label_of(self.name)}: {isolate(key_in_words(self.name, self.key))}"


class SavedView(models.Model):
    """A list of the desk as an operator filtered it, under a name; a shared one is for all."""

    list = models.CharField(_("list"), max_length=100, editable=False)
    """Its model's label, such as `orders.order`."""
    name = models.CharField(pgettext_lazy("saved view", "name"), max_length=60)
    query = models.CharField(_("filters"), max_length=2000)
    """The list's parameters, sorted, without the page."""
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="+",
        verbose_name=_("saved by"),
        db_index=False,  # the unique constraint's index begins with it
    )
    is_shared = models.BooleanField(_("for everybody"), default=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "list", "name"], name="saved_view_once_per_name"
            ),
        ]

    def __str__(self) -> str:
        return self.name
