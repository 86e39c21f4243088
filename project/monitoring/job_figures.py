"""The figures of jobs, from their rows: all workers write them, and any web process reads them.

Latency and failures are those of the last two minutes, which the partial indexes of finished jobs
find: a scrape reads what was done in that time, however many jobs there are.
"""

from collections.abc import Iterator

from django.db import connection
from prometheus_client.core import GaugeMetricFamily, Metric

from project.jobs.model import Job, job_models
from project.models import Heartbeat
from project.monitoring.health import FRESH

WINDOW_SECONDS = 120
QUANTILES = (0.5, 0.95)

# Each part reads a partial index: `_prunable`, `_trouble`.
_FINISHED = """
    SELECT kind, 'done' AS status, count(*),
           percentile_cont(%(quantiles)s::float[]) WITHIN GROUP (
               ORDER BY greatest(0, extract(epoch FROM finished_at - run_after))::float)
    FROM {table}
    WHERE status IN ('done', 'cancelled') AND status = 'done'
      AND finished_at > statement_timestamp() - interval '1 second' * %(seconds)s
    GROUP BY kind
    UNION ALL
    SELECT kind, status, count(*), NULL
    FROM {table}
    WHERE status IN ('failed', 'unknown')
      AND finished_at > statement_timestamp() - interval '1 second' * %(seconds)s
    GROUP BY kind, status
"""


def job_figures() -> Iterator[Metric]:
    """Yield how jobs are queued, how long they took, how many failed, and how soon they start."""
    jobs = GaugeMetricFamily("tandem_jobs", "Jobs by state", labels=["app", "status"])
    waiting = GaugeMetricFamily(
        "tandem_jobs_oldest_ready_seconds", "Age of the oldest job that is due", labels=["app"]
    )
    latency = GaugeMetricFamily(
        "tandem_job_seconds",
        "From the moment a job was due to its end, of those done in the last two minutes",
        labels=["app", "kind", "quantile"],
    )
    finished = GaugeMetricFamily(
        "tandem_jobs_finished",
        "Jobs that ended in the last two minutes, by how",
        labels=["app", "kind", "status"],
    )
    for model in job_models():
        # Not the finished ones: counting them would read the whole table.
        for status, count in model.objects.count_unfinished().items():
            jobs.add_metric([model.app, status], count)
        waiting.add_metric([model.app], model.objects.longest_wait())
        for kind, status, count, seconds in _finished(model):
            finished.add_metric([model.app, kind, status], count)
            for quantile, value in zip(QUANTILES, seconds or (), strict=False):
                latency.add_metric([model.app, kind, str(quantile)], value)
    yield jobs
    yield waiting
    yield latency
    yield finished
    yield _ring_to_start()


def _finished(model: type[Job]) -> list[tuple[str, str, int, list[float] | None]]:
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            _FINISHED.format(table=table),
            {"quantiles": list(QUANTILES), "seconds": WINDOW_SECONDS},
        )
        return cursor.fetchall()


def _ring_to_start() -> GaugeMetricFamily:
    """The slowest of the living relays counts: each knows the jobs that it has published."""
    seconds = GaugeMetricFamily(
        "tandem_ring_to_start_seconds",
        "From a job's message to its start: half of the relay's last jobs started sooner",
        labels=["app"],
    )
    slowest: dict[str, float] = {}
    for detail in Heartbeat.objects.living("relay", within=FRESH).values_list("detail", flat=True):
        for app, value in detail.get("ring_to_start", {}).items():
            slowest[app] = max(value, slowest.get(app, 0.0))
    for app, value in sorted(slowest.items()):
        seconds.add_metric([app], value)
    return seconds
