"""The queues over the last hour or day: the part of the page that asks for itself again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from project.desk.charts import Bar, bars, sparkline
from project.desk.durations import duration
from project.desk.jobs import JobAdmin
from project.models import PausedQueue
from project.names import queue_name
from project.queues.pausing import queues
from project.queues.samples import QueueHistory, read_history

RANGES: dict[str, tuple[str | Promise, int, timedelta]] = {
    "hour": (gettext_lazy("Last hour"), 60, timedelta(minutes=1)),
    "day": (gettext_lazy("Last 24 hours"), 96, timedelta(minutes=15)),
}


@dataclass(frozen=True)
class Queue:
    """A queue with its charts."""

    name: str
    title: str
    pause: PausedQueue | None
    """Who paused it, and why; None: it isn't paused."""
    waiting: str
    oldest: str
    done: int
    failed: int
    throughput: SafeString
    median: str
    slowest: str
    latency: SafeString
    url: str
    """Where the button leads to pause it, or posts to resume it; empty if the user may not."""


def read_live(request: HttpRequest, desks: list[JobAdmin], *, now: datetime) -> dict[str, Any]:
    """Return the context of `desk/jobs_live.html`, in two queries."""
    chosen = request.GET.get("range", "")
    chosen = chosen if chosen in RANGES else "hour"
    _label, steps, step = RANGES[chosen]
    paused = PausedQueue.objects.in_bulk()
    return {
        "queues": [
            _queue(history, now, step, paused, may_decide(desks, history.queue, request))
            for history in read_history(until=now, steps=steps, step=step)
        ],
        "ranges": [(name, label, name == chosen) for name, (label, _s, _t) in RANGES.items()],
        "range": chosen,
    }


def may_decide(desks: list[JobAdmin], queue: str, request: HttpRequest) -> bool:
    """Tell whether the user may pause the queue: who may change the jobs of all its models."""
    mine = [desk for desk in desks if desk.model.queue == queue]
    return queue in queues() and bool(mine) and all(desk.may_decide(request) for desk in mine)


def _queue(
    history: QueueHistory,
    now: datetime,
    step: timedelta,
    paused: dict[str, PausedQueue],
    may_pause: bool,
) -> Queue:
    begin = now.replace(second=0, microsecond=0) - len(history.done) * step
    starts = [localtime(begin + number * step) for number in range(len(history.done))]
    title = queue_name(history.queue)
    slow = [seconds for seconds in history.slowest if seconds is not None]
    medians = [seconds for seconds in history.median if seconds is not None]
    waiting, oldest = _last(history.depth), _last(history.oldest)
    name = "desk-jobs-resume" if history.queue in paused else "desk-jobs-pause"
    return Queue(
        name=history.queue,
        title=title,
        pause=paused.get(history.queue),
        waiting="–" if waiting is None else str(waiting),
        oldest="–" if oldest is None else duration(oldest),
        done=sum(count or 0 for count in history.done),
        failed=sum(count or 0 for count in history.failed),
        throughput=bars(
            [
                Bar(done, _words(start, done, failed), failed)
                for start, done, failed in zip(starts, history.done, history.failed, strict=True)
            ],
            label=_("Finished jobs: %(queue)s") % {"queue": title},
        ),
        median=duration(sorted(medians)[len(medians) // 2]) if medians else "–",
        slowest=duration(max(slow)) if slow else "–",
        latency=sparkline(history.slowest, label=_("Slowest jobs: %(queue)s") % {"queue": title}),
        url=reverse(name, args=[history.queue]) if may_pause else "",
    )


def _last(values: Sequence[float | int | None]) -> float | int | None:
    """Return the newest value: the last minute itself may not be sampled yet."""
    return next((value for value in reversed(values[-3:]) if value is not None), None)


def _words(start: datetime, done: int | None, failed: int | None) -> str:
    if done is None:
        return _("%(time)s: not known") % {"time": f"{start:%H:%M}"}
    values = {"time": f"{start:%H:%M}", "done": done, "failed": failed or 0}
    return _("%(time)s: %(done)s done, %(failed)s failed") % values
