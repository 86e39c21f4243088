"""How soon jobs start once they are rung: the relay watches some of those that it has published.

    note(model, ids) at the ring ─▶ look(): when did they start, by their rows? ─▶ the median

Both times are the database's, so that no worker's clock matters.
"""

import time
from collections import deque
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID

from project.database.clock import database_now
from project.jobs.model import Job

WATCHED = 20
"""The jobs of a model that are watched at a time."""
KEPT = 50
"""Of so many starts the median is told."""
FORGOTTEN_AFTER = timedelta(seconds=120)
"""A job that hasn't started by then is rung again, and counts as one that took so long."""


class Starts:
    """The relay's. Only its main thread uses it."""

    def __init__(self) -> None:
        self._rung: dict[type[Job], dict[UUID, float]] = {}
        self._seconds: dict[type[Job], deque[float]] = {}

    def note(self, model: type[Job], job_ids: list[UUID], *, at: float) -> None:
        """Watch the first of these jobs, as far as there is room.

        They were rung `at` this time of `time.monotonic`.
        """
        watched = self._rung.setdefault(model, {})
        for job_id in job_ids[: max(0, WATCHED - len(watched))]:
            watched[job_id] = at

    def look(self) -> dict[str, float]:
        """Return by app the median of the last starts, in seconds."""
        for model, watched in self._rung.items():
            if watched:
                self._look_at(model, watched)
        return {
            model.app: round(median(seconds), 4)
            for model, seconds in self._seconds.items()
            if seconds
        }

    def _look_at(self, model: type[Job], watched: dict[UUID, float]) -> None:
        started: dict[UUID, datetime | None] = dict(
            model.objects.filter(pk__in=watched, started_at__isnull=False).values_list(
                "pk", "started_at"
            )
        )
        now, here = database_now(), time.monotonic()
        seconds = self._seconds.setdefault(model, deque(maxlen=KEPT))
        for job_id, rung in list(watched.items()):
            ago = timedelta(seconds=here - rung)
            start = started.get(job_id)
            # One that was tried before has that start until its next.
            if start is not None and start >= now - ago - timedelta(seconds=1):
                seconds.append(max(0.0, (start - (now - ago)).total_seconds()))
                del watched[job_id]
            elif ago > FORGOTTEN_AFTER:
                seconds.append(ago.total_seconds())
                del watched[job_id]
