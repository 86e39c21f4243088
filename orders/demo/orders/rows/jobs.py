"""What messages and media jobs share: how a finished job ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orders.demo.orders.copying import NULL, ready, ready_json

LEASE = timedelta(seconds=30)

COLUMNS = (
    *("id", "order_id", "kind", "context", "status", "attempts", "lost", "ring_after"),
    *("run_after", "progress", "error", "result", "created_at", "started_at", "finished_at"),
)
"""The columns of every job, in the order of `Ended.values`."""


@dataclass(slots=True)
class Finished:
    """A job as its task result tells it."""

    id: str
    ended: "Ended"
    failure: str = ""
    """The type of the error of its last attempt; empty without any."""


@dataclass(slots=True)
class Ended:
    """The end of a job's attempts."""

    status: str
    attempts: int
    started_at: datetime | None
    finished_at: datetime | None
    error: str = ""
    lost: int = 0
    result: str | None = None
    """JSON."""
    run_after: datetime | None = None
    """Its last due time, if it was retried."""
    ring_after: datetime | None = None

    def values(
        self, job: str, order: str | None, kind: str, context: str, created: datetime
    ) -> tuple[Any, ...]:
        """Return the job's values of `COLUMNS`, ready for COPY. `context` is JSON."""
        return (
            *(job, order or NULL, kind, ready_json(context), self.status, self.attempts, self.lost),
            self.ring_after or ((self.started_at or created) + LEASE),
            self.run_after or created,
            100 if self.status == "done" else 0,
            ready(self.error) if self.error else "",
            ready_json(self.result) if self.result else NULL,
            *(created, self.started_at or NULL, self.finished_at or NULL),
        )
