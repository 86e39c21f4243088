"""The figures of `/metrics` (Prometheus text format).

Those of the database are read at each scrape; this machine's web processes counted the others
(`project.figures`).
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from project.figures.database import reported_figures
from project.figures.noting import page
from project.limits.known import ORDER, known_limits
from project.models import AuditRun, DeferralCount, RefusalCount, Sweep
from project.monitoring.health import Health, read_health
from project.monitoring.job_figures import job_figures
from project.monitoring.replication import replication_figures


class ShopCollector(Collector):
    """Collects the figures of jobs, services, sweeps, writers, limits, audits and standbys."""

    def collect(self) -> Iterator[Metric]:
        """Yield the figures that the database knows: they are the shop's, not this machine's."""
        yield from job_figures()
        yield from _services(read_health())
        yield from _sweeps()
        yield _deferrals()
        yield _refusals()
        yield from _audits()
        yield from replication_figures()
        yield from reported_figures()


def _services(health: Health) -> Iterator[Metric]:
    up = GaugeMetricFamily("tandem_up", "1 if the service is well", labels=["service"])
    for service in health.checks:
        up.add_metric([service], float(service not in health.degraded))
    yield up
    paused = GaugeMetricFamily(
        "tandem_paused", "1 for what an operator has paused", labels=["kind", "name"]
    )
    for pause in health.pauses:
        paused.add_metric([pause.kind, pause.name], 1.0)
    yield paused


def _sweeps() -> Iterator[Metric]:
    late = GaugeMetricFamily(
        "tandem_sweep_late_seconds",
        "Since when the sweep should have been done again; 0 if it needn't have been yet",
        labels=["sweep"],
    )
    failing = GaugeMetricFamily(
        "tandem_sweep_failing", "1 if the sweep's last run met an error", labels=["sweep"]
    )
    for name, seconds, error in Sweep.objects.troubles():
        late.add_metric([name], seconds)
        failing.add_metric([name], float(bool(error)))
    yield late
    yield failing


def _deferrals() -> Metric:
    deferrals = CounterMetricFamily(
        "tandem_writer_deferrals",
        "Orders and counts that waited for rows that others held, in all processes",
        labels=["writer"],
    )
    for row in DeferralCount.objects.all():
        deferrals.add_metric([row.writer], row.items)
    return deferrals


def _refusals() -> Metric:
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
    return refusals


def _audits() -> Iterator[Metric]:
    audits = AuditRun.objects.last_of_each_scope()
    if not audits:
        return
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
    return generate_latest(registry) + page()
