"""The API's error answers: `application/problem+json` (RFC 9457).

Every error below /api/ becomes a problem here, including errors of Django before any view.
"""

import json
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from orders.placing.errors import ShopBusy
from project.admission.refusal import is_refused

PREFIX = "/api/"
CONTENT_TYPE = "application/problem+json"

TITLES = {
    "bad_request": "The request can't be read",
    "key_needed": "This needs the key of an API client",
    "key_refused": "The key doesn't work",
    "scope_missing": "The key may not do this",
    "not_found": "There is nothing here",
    "method_not_allowed": "This method doesn't work here",
    "too_large": "The request is too large",
    "unsupported_media_type": "Send JSON",
    "invalid": "The request is invalid",
    "key_reused": "This key was used for another request",
    "wrong_status": "The order's status doesn't allow this",
    "done_differently": "It was done before, in another way",
    "stock_too_low": "There are not so many units",
    "corrected_meanwhile": "The stock was corrected meanwhile",
    "too_many_requests": "Too many requests in a short time",
    "out_of_stock": "Not enough in stock",
    "total_changed": "The total has changed",
    "voucher_refused": "The voucher can't be used",
    "delivery_changed": "The delivery isn't quoted any more",
    "placement_failed": "The order could not be placed",
    "hold_ended": "The hold has ended",
    "hold_ordered": "The hold has become an order",
    "too_many_holds": "Too many holds in a short time",
    "too_many_quotes": "Too many questions to carriers",
    "too_many_uploads": "Too many uploads",
    "limited": "Too many orders in a short time",
    "busy": "The shop is busy",
    "outcome_unknown": "The order may have been placed",
    "server_error": "Something is wrong with us",
}
_CODE_BY_STATUS = {
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    503: "busy",
}


class Problem(Exception):
    """An error answer; `members` are added to its body.

    `retry_after` (seconds) goes with statuses 429 and 503, `challenge` is the header
    `WWW-Authenticate` of 401 and 403.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        retry_after: int = 2,
        challenge: str = "",
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        self.challenge = challenge
        self.members = members

    def response(self) -> HttpResponse:
        response = HttpResponse(self.body(), status=self.status, content_type=CONTENT_TYPE)
        if self.status in (429, 503):
            response["Retry-After"] = str(self.retry_after)
        if self.challenge:
            response["WWW-Authenticate"] = self.challenge
        return response

    def body(self) -> bytes:
        body = {
            "type": f"{settings.SITE_URL}/api/v1/docs#{self.code}",
            "title": TITLES[self.code],
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            **self.members,
        }
        return json.dumps(body).encode()


def busy_problem(*, retry_after: int) -> Problem:
    """Return the answer 503 to an order of which nothing was placed."""
    detail = "Nothing was placed. Repeat the request in a moment."
    return Problem(503, "busy", detail, retry_after=retry_after)


def invalid_problem(errors: list[dict[str, str]]) -> Problem:
    """Return the answer 422 that names each field and what is wrong with it."""
    fields = ", ".join(error["field"] or "body" for error in errors[:5])
    return Problem(422, "invalid", f"Please check: {fields}.", errors=errors)


class RefusedOrderMiddleware:
    """Answer an order that was not let in (`project.admission`), before anything of it is read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if is_refused():
            return busy_problem(retry_after=ShopBusy().retry_after).response()
        return self.get_response(request)


class ProblemMiddleware:
    """Turn every other error below /api/ into a problem: unknown paths, methods, crashes.

    It is the outermost middleware, so it also sees the refusals of the other ones.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if (
            request.path_info.startswith(PREFIX)
            and response.status_code >= 400
            and response.headers.get("Content-Type") != CONTENT_TYPE
            and isinstance(response, HttpResponse)
        ):
            _rewrite(response)
        return response


def _rewrite(response: HttpResponse) -> None:
    """Replace the response's body by a problem; its other headers stay.

    A page was compressed before it comes here; the problem is sent as it is.
    """
    status = response.status_code
    code = _CODE_BY_STATUS.get(status, "bad_request" if status < 500 else "server_error")
    response.content = Problem(status, code, f"{TITLES[code]}.").body()
    response["Content-Type"] = CONTENT_TYPE
    response["Content-Length"] = str(len(response.content))
    del response["Content-Encoding"]
