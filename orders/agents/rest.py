"""The REST binding: paths and methods by the specification's rest.openapi.json."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from orders.agents.errors import ProtocolError
from orders.agents.negotiation import profile_url_of
from orders.agents.operations import OPERATIONS, perform
from orders.agents.requests import json_of, session_of
from orders.agents.signing import signed
from orders.placing.errors import ShopBusy
from project.admission.refusal import is_refused
from project.database.errors import dropped_if_lost

logger = logging.getLogger(__name__)

View = Callable[..., HttpResponse]


def endpoint(**by_method: str) -> View:
    """Return the view of a path: the operation of each method."""

    @csrf_exempt
    def view(request: HttpRequest, target: str = "") -> HttpResponse:
        name = by_method.get(request.method or "")
        try:
            if is_refused():
                wait = ShopBusy().retry_after
                raise ProtocolError(503, "busy", "Repeat the request.", retry_after=wait)
            if name is None:
                raise ProtocolError(405, "method_not_allowed", "This method doesn't work here.")
            return _answer(request, name, target)
        except ProtocolError as error:
            response = _refused(request, error, is_signed=not name or OPERATIONS[name].is_signed)
            if error.status == 405:
                response["Allow"] = ", ".join(by_method)
            return response

    return view


@csrf_exempt
def unknown(request: HttpRequest, target: str) -> HttpResponse:
    """Answer a request for an address that the binding doesn't have."""
    return _refused(request, ProtocolError(404, "not_found", "There is no such address."))


def _answer(request: HttpRequest, name: str, target: str) -> HttpResponse:
    try:
        profile_url, version = profile_url_of(request.headers.get("UCP-Agent", ""))
        session = session_of(request, profile_url, version=version)
        status, body = perform(
            name,
            session,
            target=target,
            payload=json_of(request),
            key=request.headers.get("Idempotency-Key", ""),
        )
    except Error as error:
        if not dropped_if_lost(error, connection):
            raise
        logger.warning("%s without the database", request.path, exc_info=error)
        wait = ShopBusy().retry_after
        raise ProtocolError(503, "busy", "Repeat the request.", retry_after=wait) from error
    return _traced(request, answer(status, body, is_signed=OPERATIONS[name].is_signed))


def answer(status: int, body: Mapping[str, Any], *, is_signed: bool = False) -> HttpResponse:
    """Return the answer, signed by the shop's key or not."""
    content = json.dumps(body, ensure_ascii=False).encode()
    response = HttpResponse(content, status=status, content_type="application/json")
    if is_signed:
        for name, value in signed({"@status": str(status)}, body=content).items():
            response[name] = value
    response["Cache-Control"] = "no-store"
    return response


def _refused(request: HttpRequest, error: ProtocolError, *, is_signed: bool = True) -> HttpResponse:
    response = answer(error.status, error.body, is_signed=is_signed)
    for header, value in error.headers.items():
        response[header] = value
    if error.retry_after:
        response["Retry-After"] = str(error.retry_after)
    return _traced(request, response)


def _traced(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Say the client's own id of the request, by which it finds the answer in its log."""
    request_id = request.headers.get("Request-Id", "")
    if request_id.isascii() and request_id.isprintable() and 0 < len(request_id) <= 100:
        response["Request-Id"] = request_id
    return response
