"""The webhook endpoints among the figures of `/metrics`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from notifications.models import WebhookEndpoint
from notifications.webhooks.counts import deliveries_in
from project.figures.database import report_figures
from project.jobs.queryset import OPEN

if TYPE_CHECKING:
    from prometheus_client.core import Metric


def report_endpoints() -> None:
    """Add them to the page."""
    report_figures(_endpoints)


def _endpoints() -> "Iterator[Metric]":
    from prometheus_client.core import GaugeMetricFamily  # for web processes only

    silent = GaugeMetricFamily(
        "tandem_webhook_silent",
        "1 while the endpoint doesn't answer and is tried rarely",
        labels=["endpoint"],
    )
    waiting = GaugeMetricFamily(
        "tandem_webhook_waiting",
        "Deliveries that are queued or on their way to the endpoint",
        labels=["endpoint"],
    )
    rows = WebhookEndpoint.objects.annotate(waiting=deliveries_in(OPEN)).order_by("pk")
    for key, failures, count in rows.values_list("pk", "failures", "waiting"):
        silent.add_metric([str(key)], float(failures > 0))
        waiting.add_metric([str(key)], count)
    yield silent
    yield waiting
