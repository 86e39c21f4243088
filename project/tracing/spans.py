"""Spans: what a process does, since when, for which request. Without a tracer they do nothing.

An attribute is a name, a number or an outcome: never what people typed, an address, an error's
words, a path or an order's id, which opens the order.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Link, Tracer
    from opentelemetry.trace import Span as ApiSpan

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Value = str | int | float | bool
LONGEST_TRACEPARENT = 55
"""Characters: version 00 of W3C's Trace Context."""
ROOT: Mapping[str, str] = {}
"""The parent of a span that begins a trace."""

_tracer: "Tracer | None" = None


class Span:
    """A span that goes on, or nothing."""

    def __init__(self, span: "ApiSpan | None" = None) -> None:
        self._span = span

    @property
    def trace_id(self) -> str:
        """The trace's id as collectors show it; empty without a tracer."""
        return f"{self._span.get_span_context().trace_id:032x}" if self._span else ""

    def rename(self, name: str) -> None:
        if self._span:
            self._span.update_name(name)

    def note(self, **attributes: Value) -> None:
        """Add attributes: `order_source` is told as `tandem.order.source`."""
        if self._span:
            for name, value in attributes.items():
                self._span.set_attribute(_told(name), value)

    def note_standard(self, attributes: Mapping[str, Value]) -> None:
        """Add attributes of OpenTelemetry's own conventions."""
        if self._span:
            for name, value in attributes.items():
                self._span.set_attribute(name, value)

    def fail(self, error_type: str) -> None:
        """Mark the span as failed, by the kind of error alone: its words may quote data."""
        if self._span:
            from opentelemetry.trace import StatusCode

            self._span.set_attribute("error.type", error_type)
            self._span.set_status(StatusCode.ERROR)


NO_SPAN = nullcontext(Span())
"""One for all blocks: without a tracer a span costs no more than its call."""


def use(tracer: "Tracer | None") -> None:
    """Let this process make its spans by this tracer; None: none any more."""
    global _tracer
    _tracer = tracer


def is_on() -> bool:
    """Tell whether this process makes spans: who only collects links for one may ask before."""
    return _tracer is not None


def traceparent() -> str:
    """Return this thread's span as W3C's `traceparent`, to go on with elsewhere; empty if none."""
    if _tracer is None:
        return ""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent", "")


def span(
    name: str,
    kind: Kind = "internal",
    *,
    parent: str | Mapping[str, str] | None = None,
    links: Iterable[str] = (),
    refusals: tuple[type[BaseException], ...] = (),
    **attributes: Value,
) -> AbstractContextManager[Span]:
    """Make a span for the block.

    `parent`: a `traceparent`, or the headers of W3C's Trace Context; None: this thread's span;
    ROOT, or one that is empty or unreadable: the span begins a trace. `links`: the `traceparent` of
    others that it works for; empty ones are left out. An exception that leaves the block marks the
    span as failed, unless it is one of the `refusals`. `attributes` as in `Span.note`.
    """
    if _tracer is None:
        return NO_SPAN
    return _started(_tracer, name, kind, parent, links, refusals, attributes)


@contextmanager
def _started(
    tracer: "Tracer",
    name: str,
    kind: Kind,
    parent: str | Mapping[str, str] | None,
    links: Iterable[str],
    refusals: tuple[type[BaseException], ...],
    attributes: Mapping[str, Value],
) -> Iterator[Span]:
    from opentelemetry.trace import SpanKind

    with tracer.start_as_current_span(
        name,
        context=None if parent is None else _context(parent),
        kind=SpanKind[kind.upper()],
        attributes={_told(each): value for each, value in attributes.items()},
        links=[*_links(links)],
        # Ours tells the kind of the error alone.
        record_exception=False,
        set_status_on_exception=False,
    ) as started:
        made = Span(started)
        try:
            yield made
        except refusals:
            raise
        except BaseException as error:
            made.fail(type(error).__name__)
            raise


def _context(parent: str | Mapping[str, str]) -> "Context":
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier = {"traceparent": parent} if isinstance(parent, str) else dict(parent)
    return TraceContextTextMapPropagator().extract(carrier, context=Context())


def _links(traceparents: Iterable[str]) -> "Iterator[Link]":
    from opentelemetry.trace import Link, get_current_span

    for each in traceparents:
        if each:
            found = get_current_span(_context(each)).get_span_context()
            if found.is_valid:
                yield Link(found)


def _told(name: str) -> str:
    return f"tandem.{name.replace('_', '.')}"
