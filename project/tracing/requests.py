"""The span of a request: named by its route, and a part of a caller's trace only where trusted.

Anybody may send a `traceparent`. Believed, it would put a stranger's requests into our traces, and
its sampled flag would choose which of them are kept.
"""

from contextlib import AbstractContextManager
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from project.limits.client_address import client_address
from project.tracing.spans import NO_SPAN, Span, is_on, span

HEADERS = ("traceparent", "tracestate")
UNTRACED = ("/healthz", "/readyz", "/metrics")
"""Asked every few seconds, by programs."""


def request_span(request: HttpRequest, *, method: str) -> AbstractContextManager[Span]:
    """Make the span of a request for the block; `method` is a known one, or "other"."""
    if not is_on() or request.path_info in UNTRACED:
        return NO_SPAN
    return span(method, "server", parent=_trusted_context(request))


def note_answer(
    traced: Span, request: HttpRequest, response: HttpResponseBase, *, method: str
) -> None:
    """Note the route and the answer: no path and no query, which may name an order or a person."""
    if not traced.trace_id:
        return
    route = request.resolver_match.route if request.resolver_match else ""
    traced.rename(f"{method} {route or '/'}")
    traced.note_standard(
        {
            "http.request.method": method,
            "http.route": route or "/",
            "http.response.status_code": response.status_code,
        }
    )
    if response.status_code >= 500:
        traced.fail(str(response.status_code))


def _trusted_context(request: HttpRequest) -> dict[str, str]:
    """Return the caller's trace, if the caller is in one of `TRACES_TRUSTED`; else none."""
    given = {name: request.headers[name] for name in HEADERS if name in request.headers}
    if not given or not settings.TRACES_TRUSTED:
        return {}
    address = ip_address(client_address(request))
    trusted = any(address in network for network in settings.TRACES_TRUSTED)
    return given if trusted else {}
