"""The sending of spans, by OTLP over HTTP: one thread a process, for which nobody waits.

Spans wait in a queue of the SDK's (2,048; `OTEL_BSP_…`) and are sent a few seconds later. While the
collector is away or hangs, only that thread waits, and what finds the queue full is dropped. The
exporter, the sampler and the limits are set by OpenTelemetry's own variables.
"""

import logging
import os
import threading
from typing import TYPE_CHECKING

from django.conf import settings

from project.tracing import spans

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

STOP_SECONDS = 3.0
"""So long a process that ends waits for its last spans."""
MOST_LINKS = 256
"""Of a span: as many as a writer's batch has orders."""

logger = logging.getLogger(__name__)
_provider: "TracerProvider | None" = None
_owner = 0
"""The process that made it: a forked one makes its own."""


def start_sending(process: str) -> None:
    """Let this process make spans and send them, if the settings ask for it; once a process.

    `process`: what it is, such as web or relay. It starts a thread, so it is called after the fork.
    """
    global _provider, _owner
    if not settings.TRACES_ARE_SENT or _owner == os.getpid():
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanLimits, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    attributes = {"tandem.process": process, "service.name": settings.OTEL_SERVICE_NAME}
    limits = SpanLimits(max_links=int(os.environ.get("OTEL_SPAN_LINK_COUNT_LIMIT") or MOST_LINKS))
    _provider = TracerProvider(
        resource=Resource.create(attributes), span_limits=limits, shutdown_on_exit=False
    )
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _owner = os.getpid()
    spans.use(_provider.get_tracer("tandem"))


def stop_sending() -> None:
    """Make no more spans, and send the last ones, for `STOP_SECONDS` at most."""
    global _provider
    if _provider is None or _owner != os.getpid():
        return
    provider, _provider = _provider, None
    spans.use(None)
    # The exporter's own timeout would hold up the process's end for longer.
    ending = threading.Thread(target=provider.shutdown, name="last-spans", daemon=True)
    ending.start()
    ending.join(STOP_SECONDS)
    if ending.is_alive():
        logger.warning("the last spans aren't sent: the collector doesn't answer")
