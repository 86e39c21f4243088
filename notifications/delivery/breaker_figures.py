"""The breakers of e-mail and the SMS gateways among the figures of `/metrics`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from notifications.models import ChannelState
from project.figures.database import report_figures

if TYPE_CHECKING:
    from prometheus_client.core import Metric


def report_breakers() -> None:
    """Add them to the page."""
    report_figures(_breakers)


def _breakers() -> "Iterator[Metric]":
    from prometheus_client.core import GaugeMetricFamily  # for web processes only

    is_open = GaugeMetricFamily(
        "tandem_breaker_open",
        "1 while the gateway doesn't answer and is tried rarely",
        labels=["gateway"],
    )
    for gateway, openings in ChannelState.objects.values_list("gateway", "openings"):
        is_open.add_metric([gateway], float(openings > 0))
    yield is_open
