"""The shop's health, read from the heartbeats of relay, workers and beat in the database.

A web request never touches the broker: the relay's last heartbeat has the broker's health.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import DurationField, ExpressionWrapper, F, JSONField, Value
from django.db.models.functions import JSONObject, Now

from project.models import DailyRun, Heartbeat, PausedQueue, Sweep

SERVICES = ("relay", "notify", "media", "default", "beat")
"""The services that must be alive, each with a heartbeat named `SERVICE@host:pid`."""
FRESH = timedelta(seconds=20)
"""Heartbeats come every 3 to 5 seconds."""
STARTUP_GRACE = 45.0
"""Seconds in which a local shop's services may still be starting."""

PAUSED = "paused"
"""The prefix of a check that isn't "ok" because an operator paused the service."""

started = time.monotonic()
"""When this process began, on the `time.monotonic` clock."""


@dataclass(frozen=True)
class Paused:
    """A channel or a queue that an operator has paused; the desk alone tells the reason."""

    kind: str
    """`channel` or `queue`."""
    name: str
    user: str
    reason: str


@dataclass(frozen=True)
class Report:
    """An app's own checks by service, as in `Health`, and what of its services is paused."""

    checks: dict[str, str]
    pauses: list[Paused] = field(default_factory=list)


_reporters: list[Callable[[], Report]] = []


def report_health(read_report: Callable[[], Report]) -> None:
    """Add an app's own checks to the health pages; call it in the app's `ready`."""
    _reporters.append(read_report)


@dataclass(frozen=True)
class Health:
    """The checks by service: "ok", the problem, or that it is paused.

    `notes` is about what is well: one of several processes is silent, a queue is paused.
    """

    checks: dict[str, str]
    notes: dict[str, str] = field(default_factory=dict)
    pauses: list[Paused] = field(default_factory=list)

    @property
    def degraded(self) -> list[str]:
        """The services with a problem; a paused one has none."""
        return [
            name
            for name, state in self.checks.items()
            if state != "ok" and not state.startswith(PAUSED)
        ]

    @property
    def paused(self) -> list[str]:
        """The services that an operator has paused."""
        return [name for name, state in self.checks.items() if state.startswith(PAUSED)]

    @property
    def status(self) -> str:
        return "degraded" if self.degraded else "ok"

    @property
    def starting(self) -> bool:
        """True while `bin/up` is still starting services that have not been seen yet."""
        young = time.monotonic() - started < STARTUP_GRACE
        return settings.TANDEM_LOCAL and young and "not seen yet" in self.checks.values()


def read_health() -> Health:
    """Return the state of every service. Raises django.db.Error without a database."""
    heartbeats, late_sweeps, failing_sweeps, failing, paused = _signs()
    checks, notes = {"database": "ok"}, {}
    for service in SERVICES:
        mine = [beat for beat in heartbeats if beat.name.partition("@")[0] == service]
        latest = min(mine, key=lambda beat: beat.age, default=None)
        if latest is None:
            checks[service] = "not seen yet"
        elif latest.age > FRESH:
            checks[service] = f"not seen for {_seconds(latest.age)} s"
        else:
            checks[service] = "ok"
            if silent := [beat for beat in mine if beat.age > FRESH]:
                notes[service] = _in_words(silent, of=len(mine))
        if service == "relay":
            checks["broker"] = "unknown"
            if latest is not None and latest.age <= FRESH:
                checks["broker"] = latest.detail["broker"]
    # Their errors are at the desk only: they may quote data.
    troubles = {"late": late_sweeps, "failing": failing_sweeps}
    said = [f"{what}: {', '.join(names)}" for what, names in troubles.items() if names]
    checks["sweeps"] = "; ".join(said) or "ok"
    checks["daily"] = f"failing: {', '.join(failing)}" if failing else "ok"
    notes |= {f"queue:{queue.name}": f"paused by {queue.user}" for queue in paused}
    pauses = list(paused)
    for read_report in _reporters:
        report = read_report()
        checks |= report.checks
        pauses += report.pauses
    return Health(checks, notes, pauses)


@dataclass(frozen=True)
class _Heartbeat:
    name: str
    age: timedelta
    detail: dict[str, str]


def _signs() -> tuple[list[_Heartbeat], list[str], list[str], list[str], list[Paused]]:
    """Return the processes' signs of life, what is said of late sweeps, the failing sweeps and
    daily work, and the paused queues.

    In one query: the desk's pages ask for it each time.
    """
    processes = Heartbeat.objects.order_by().annotate(kind=Value("process"), age=_since("seen_at"))
    late, failing_sweeps = (
        sweeps.order_by().annotate(
            kind=Value(kind),
            age=_since("done_at"),
            detail=Value(None, output_field=JSONField()),
        )
        for kind, sweeps in (
            ("sweep", Sweep.objects.late()),
            ("failing sweep", Sweep.objects.failing()),
        )
    )
    failing = (
        DailyRun.objects.failing()
        .order_by()
        .annotate(
            kind=Value("daily"),
            age=_since("started_at"),
            detail=Value(None, output_field=JSONField()),
        )
    )
    paused = PausedQueue.objects.order_by().annotate(
        kind=Value("queue"),
        name=F("queue"),
        age=_since("paused_at"),
        detail=JSONObject(by=F("paused_by"), reason=F("reason")),
    )
    columns = ("kind", "name", "age", "detail")
    rows = list(
        processes.values_list(*columns).union(
            late.values_list(*columns),
            failing_sweeps.values_list(*columns),
            failing.values_list(*columns),
            paused.values_list(*columns),
            all=True,
        )
    )
    heartbeats = [
        _Heartbeat(name, age, detail) for kind, name, age, detail in rows if kind == "process"
    ]
    sweeps = sorted(
        f"{name} never done" if age is None else f"{name} not done for {_seconds(age)} s"
        for kind, name, age, _detail in rows
        if kind == "sweep"
    )
    unmended = sorted(name for kind, name, _age, _detail in rows if kind == "failing sweep")
    names = sorted({name for kind, name, _age, _detail in rows if kind == "daily"})
    queues = [
        Paused("queue", name, detail["by"], detail["reason"])
        for kind, name, _age, detail in sorted(rows, key=lambda row: row[1])
        if kind == "queue"
    ]
    return heartbeats, sweeps, unmended, names, queues


def _since(field: str) -> ExpressionWrapper:
    return ExpressionWrapper(Now() - F(field), output_field=DurationField())


def _seconds(age: timedelta) -> int:
    return int(age.total_seconds())


def _in_words(silent: list[_Heartbeat], *, of: int) -> str:
    names = ", ".join(f"{beat.name} not seen for {_seconds(beat.age)} s" for beat in silent)
    return f"{len(silent)} of {of}: {names}"


def is_migrated() -> bool:
    """True if the database has every migration of this code."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())
