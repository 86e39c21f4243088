"""Samples of the queues, a minute each: the lines of the desk's pages.

The sweep `sample_queues` writes the last full minute of each queue once, from the jobs' own times.
So a chart of a day reads some hundred small rows, however many jobs there were.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection

from project.jobs.model import Job, job_models
from project.jobs.queryset import PARKED
from project.models import QueueSample
from project.queues.pausing import queues

MINUTE = timedelta(minutes=1)

# Each part reads a partial index: `_due`, `_prunable`, `_troubled`.
_JOBS = """
    SELECT 'waits' AS what, extract(epoch FROM now() - run_after) AS seconds FROM {table}
    WHERE status = 'queued' AND run_after <= now() AND ring_after <> %(parked)s
    UNION ALL
    SELECT 'done', extract(epoch FROM finished_at - run_after) FROM {table}
    WHERE status IN ('done', 'cancelled') AND status = 'done'
      AND finished_at >= minute.begins_at AND finished_at < minute.ends_at
    UNION ALL
    SELECT 'failed', NULL FROM {table}
    WHERE status IN ('failed', 'unknown')
      AND finished_at >= minute.begins_at AND finished_at < minute.ends_at
"""
_SAMPLE = """
    INSERT INTO project_queuesample
        (queue, minute, depth, oldest, done, failed, median, slowest)
    SELECT %(queue)s, minute.begins_at, sums.*
    FROM (SELECT date_trunc('minute', now()) - interval '1 minute' AS begins_at,
                 date_trunc('minute', now()) AS ends_at) AS minute
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE what = 'waits'),
               coalesce(max(seconds) FILTER (WHERE what = 'waits'), 0),
               count(*) FILTER (WHERE what = 'done'),
               count(*) FILTER (WHERE what = 'failed'),
               percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE what = 'done'),
               percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE what = 'done')
        FROM ({jobs}) AS job
    ) AS sums
    WHERE NOT EXISTS (SELECT FROM project_queuesample AS sample
                      WHERE sample.minute = minute.begins_at AND sample.queue = %(queue)s)
    ON CONFLICT DO NOTHING
"""


def sample_queues() -> None:
    """Write the last full minute of each queue, unless a relay did."""
    with connection.cursor() as cursor:
        for queue, models in _models_by_queue().items():
            tables = (connection.ops.quote_name(model._meta.db_table) for model in models)
            jobs = " UNION ALL ".join(_JOBS.format(table=table) for table in tables)
            cursor.execute(_SAMPLE.format(jobs=jobs), {"queue": queue, "parked": PARKED})


def _models_by_queue() -> dict[str, list[type[Job]]]:
    found: dict[str, list[type[Job]]] = {}
    for model in job_models():
        found.setdefault(model.queue, []).append(model)
    return found


@dataclass
class QueueHistory:
    """The samples of one queue, oldest first: a None for each time without any."""

    queue: str
    depth: list[int | None] = field(default_factory=list)
    oldest: list[float | None] = field(default_factory=list)
    done: list[int | None] = field(default_factory=list)
    failed: list[int | None] = field(default_factory=list)
    median: list[float | None] = field(default_factory=list)
    slowest: list[float | None] = field(default_factory=list)

    def add(self, samples: Iterable[QueueSample]) -> None:
        """Add a step: the sums of its samples, and the worst of what can't be summed up."""
        known = list(samples)
        self.depth.append(max((each.depth for each in known), default=None))
        self.oldest.append(max((each.oldest for each in known), default=None))
        self.done.append(sum(each.done for each in known) if known else None)
        self.failed.append(sum(each.failed for each in known) if known else None)
        medians = [each.median for each in known if each.median is not None]
        self.median.append(sum(medians) / len(medians) if medians else None)
        slow = (each.slowest for each in known if each.slowest is not None)
        self.slowest.append(max(slow, default=None))


def read_history(*, until: datetime, steps: int, step: timedelta) -> list[QueueHistory]:
    """Return the last `steps` of each queue, each `step` long (whole minutes), in one query."""
    end = until.replace(second=0, microsecond=0)
    begin = end - steps * step
    samples = list(QueueSample.objects.filter(minute__gte=begin, minute__lt=end))
    histories = []
    for queue in queues():
        history = QueueHistory(queue)
        by_step: dict[int, list[QueueSample]] = {}
        for sample in samples:
            if sample.queue == queue:
                by_step.setdefault((sample.minute - begin) // step, []).append(sample)
        for number in range(steps):
            history.add(by_step.get(number, ()))
        histories.append(history)
    return histories
