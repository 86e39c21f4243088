"""What is known of each request: its id, in all of its log lines, and its time by its route."""

import time
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from project.figures.noting import Histogram, observe
from project.tracing.requests import note_answer, request_span
from project.trail import ids, named, request_id_of

REQUESTS = Histogram(
    "tandem_request_seconds",
    "Time of requests by route, without that of streaming their answer",
    labels=("route", "method", "status"),
    bounds=(0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
NO_ROUTE = "none"
"""Answered before a route was looked for: static files, redirects to https; or there is none."""


class RequestMiddleware:
    """Give each request an id and a span, and note how long it takes. It stands before all others.

    The id is that of the header `X-Request-ID` if a proxy or client has sent a fit one. The answer
    has it, too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        request_id = request_id_of(request.headers.get("X-Request-ID", ""))
        method = str(request.method) if request.method in METHODS else "other"
        with (
            request_span(request, method=method) as traced,
            named(**ids(request_id=request_id, trace_id=traced.trace_id)),
        ):
            response = self._answer(request)
            note_answer(traced, request, response, method=method)
        response.headers["X-Request-ID"] = request_id
        observe(
            REQUESTS,
            (request.resolver_match.route or "/") if request.resolver_match else NO_ROUTE,
            method,
            f"{response.status_code // 100}xx",
            value=time.perf_counter() - began,
        )
        return response
