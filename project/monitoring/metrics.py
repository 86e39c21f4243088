"""The figures of `/metrics`, read from the database at each scrape (Prometheus text format)."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from project.jobs.model import job_models
from project.limits.known import ORDER, known_limits
from project.models import AuditRun, DeferralCount, RefusalCount
from project.monitoring.health import read_health


class ShopCollector(Collector):
    """Collects the figures of jobs, services, writers, limits and the last audit."""

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges."""
        jobs = GaugeMetricFamily("tandem_jobs", "Jobs by state", labels=["app", "status"])
        waiting = GaugeMetricFamily(
            "tandem_jobs_oldest_ready_seconds", "Age of the oldest job that is due", labels=["app"]
        )
        for model in job_models():
            # Not the finished ones: counting them would read the whole table.
            for status, count in model.objects.count_unfinished().items():
                jobs.add_metric([model.app, status], count)
            waiting.add_metric([model.app], model.objects.longest_wait())
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

        refusals = CounterMetricFamily(
            "tandem_order_refusals",
            "Orders that a limit refused, in all processes",
            labels=["limit"],
        )
        counts = dict(RefusalCount.objects.values_list("name", "refusals"))
        for name in known_limits():
            kind, _colon, limit = name.partition(":")
            if kind == ORDER:
                # One that has refused nothing is 0: a rate needs a first value to rise from.
                refusals.add_metric([limit], counts.get(name, 0))
        yield refusals

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
