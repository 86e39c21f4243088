"""The figures of `/metrics`, read from the database at each scrape (Prometheus text format)."""

from collections.abc import Iterator

from django.db.models import Count, Min
from django.db.models.functions import Extract, Now
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from project.jobs.model import job_models
from project.jobs.queryset import Status
from project.models import AuditRun, DeferralCount
from project.monitoring.health import read_health

SHOWN = (Status.QUEUED, Status.RUNNING, Status.FAILED, Status.UNKNOWN)
"""The job statuses that are counted. Counting finished jobs would read the whole table."""


class ShopCollector(Collector):
    """Collects the figures of jobs, services, writers and the last audit."""

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges."""
        jobs = GaugeMetricFamily("tandem_jobs", "Jobs by state", labels=["app", "status"])
        waiting = GaugeMetricFamily(
            "tandem_jobs_oldest_ready_seconds", "Age of the oldest job that is due", labels=["app"]
        )
        for model in job_models():
            counts = dict(
                model.objects.filter(status__in=SHOWN)
                .order_by()
                .values_list("status")
                .annotate(Count("pk"))
            )
            for status in SHOWN:
                jobs.add_metric([model.app, status.value], counts.get(status.value, 0))
            oldest = (
                model.objects.ready()
                .order_by()
                .aggregate(age=Extract(Now() - Min("run_after"), "epoch"))
            )
            waiting.add_metric([model.app], float(oldest["age"] or 0))
        yield jobs
        yield waiting

        up = GaugeMetricFamily("tandem_up", "1 if the service is well", labels=["service"])
        health = read_health()
        for service in health.checks:
            up.add_metric([service], float(service not in health.degraded))
        yield up

        deferrals = CounterMetricFamily(
            "tandem_writer_deferrals",
            "Orders and counts that waited for locked rows, in all processes",
            labels=["writer"],
        )
        for row in DeferralCount.objects.all():
            deferrals.add_metric([row.writer], row.items)
        yield deferrals

        audits = AuditRun.objects.last_of_each_scope()
        if audits:
            yield GaugeMetricFamily(
                "tandem_audit_clean",
                "1 if neither the last audit of everything nor of what changed found drift",
                float(all(audit.is_clean for audit in audits)),
            )
            yield GaugeMetricFamily(
                "tandem_audit_timestamp_seconds",
                "When the last audit ended",
                audits[0].finished_at.timestamp(),
            )


def read_metrics() -> bytes:
    """Return the whole page. Raises django.db.Error without a database."""
    registry = CollectorRegistry()
    registry.register(ShopCollector())
    return generate_latest(registry)
