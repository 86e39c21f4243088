"""The shop's health, read from the heartbeats of relay, workers and beat in the database.

A web request never touches the broker: the relay's last heartbeat has the broker's health.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now

from project.models import Heartbeat

SERVICES = ("relay", "notify", "media", "default", "beat")
"""The services that must be alive, each with at least one heartbeat named `SERVICE@host`."""
FRESH = timedelta(seconds=20)
"""Heartbeats come every 3 to 5 seconds."""
STARTUP_GRACE = 45.0
"""Seconds in which a local shop's services may still be starting."""

PAUSED = "paused"
"""The prefix of a check that isn't "ok" because an operator paused the service."""

started = time.monotonic()
"""When this process began, on the `time.monotonic` clock."""
_reporters: list[Callable[[], dict[str, str]]] = []


def report_health(read_checks: Callable[[], dict[str, str]]) -> None:
    """Add an app's own checks to the health pages; call it in the app's `ready`."""
    _reporters.append(read_checks)


@dataclass(frozen=True)
class Health:
    """The checks by service: "ok", the problem, or that it is paused."""

    checks: dict[str, str]

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
    age = ExpressionWrapper(Now() - F("seen_at"), output_field=DurationField())
    heartbeats = list(Heartbeat.objects.annotate(age=age))
    checks = {"database": "ok"}
    for service in SERVICES:
        mine = [beat for beat in heartbeats if beat.name.partition("@")[0] == service]
        latest = min(mine, key=lambda beat: beat.age, default=None)
        if latest is None:
            checks[service] = "not seen yet"
        elif latest.age > FRESH:
            checks[service] = f"not seen for {int(latest.age.total_seconds())} s"
        else:
            checks[service] = "ok"
        if service == "relay":
            checks["broker"] = "unknown"
            if latest is not None and latest.age <= FRESH:
                checks["broker"] = latest.detail["broker"]
    for read_checks in _reporters:
        checks |= read_checks()
    return Health(checks)


def is_migrated() -> bool:
    """True if the database has every migration of this code."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())
