"""Keys at the API's door: who asks, whether they may, and how many requests they have left.

A request without a key passes as before. One with a key is counted, whatever it asks for, and its
answer says what is left: `RateLimit` and `RateLimit-Policy` of the IETF's draft
(draft-ietf-httpapi-ratelimit-headers-10), with the client's name for its policy.
"""

from collections.abc import Callable
from typing import Any

from django.db import Error, connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja.security.base import AuthBase

from orders.api.problems import PREFIX, Problem
from orders.clients.keys import Access, BadKeyError, find_access
from orders.clients.limit import Allowance, TooManyRequestsError, count_request
from project.database.errors import dropped_if_lost
from project.limits.client_address import counted_address

SCHEME = "bearer"
REALM = 'Bearer realm="api"'
POLICY = "client"
_ACCESS = "api_access"
"""The request's attribute with its `Access`."""


class ClientMiddleware:
    """Find the key's client, count the request, and name on the answer what is left."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        text = _sent_key(request)
        if text is None or not request.path_info.startswith(PREFIX):  # /healthz does no I/O
            return self.get_response(request)
        try:
            access = find_access(text)
            allowance = count_request(access.client)
        except BadKeyError as error:
            challenge = f'{REALM}, error="invalid_token", error_description="{error}"'
            return Problem(401, "key_refused", str(error), challenge=challenge).response()
        except TooManyRequestsError as error:
            return _with_allowance(_too_many(error.allowance).response(), error.allowance)
        except Error as error:
            if not dropped_if_lost(error, connection):
                raise
            return Problem(503, "busy", "Repeat the request in a moment.").response()
        setattr(request, _ACCESS, access)
        response = self.get_response(request)
        return response if allowance is None else _with_allowance(response, allowance)


def _sent_key(request: HttpRequest) -> str | None:
    """Return what the request sends as its key; None if it sends none."""
    scheme, _space, text = request.headers.get("Authorization", "").strip().partition(" ")
    return text.strip() if scheme.lower() == SCHEME else None


def _too_many(allowance: Allowance) -> Problem:
    rate = allowance.rate
    detail = f"Nothing was done: the client may send {rate.allowed} requests in {rate.seconds} s."
    return Problem(429, "too_many_requests", detail, retry_after=allowance.reset, limit=POLICY)


def _with_allowance(response: Any, allowance: Allowance) -> HttpResponseBase:
    rate = allowance.rate
    response["RateLimit-Policy"] = f'"{POLICY}";q={rate.allowed};w={rate.seconds}'
    response["RateLimit"] = f'"{POLICY}";r={allowance.left};t={allowance.reset}'
    answer: HttpResponseBase = response
    return answer


def access_of(request: HttpRequest) -> Access | None:
    """Return the access of the request's key; None without a key."""
    access: Access | None = getattr(request, _ACCESS, None)
    return access


def limited_address(request: HttpRequest) -> str:
    """Return the network address that a request counts under; empty for one with a key.

    A client has a limit of its own, and may order for all shoppers of an app from one address.
    """
    return "" if access_of(request) else counted_address(request)


class ClientKey(AuthBase):
    """Lets a request in whose key has the scope. The document shows its class as the scheme."""

    openapi_type = "http"
    openapi_scheme = SCHEME
    openapi_description = "The key of an API client. Its scopes say which operations it may use."

    def __init__(self, scope: str) -> None:
        self.scope = scope
        super().__init__()

    def __call__(self, request: HttpRequest) -> Access:
        """Return the access. Raises Problem: 401 without a key, 403 without the scope."""
        access = access_of(request)
        if access is None:
            detail = "Send the key of an API client: Authorization: Bearer …"
            raise Problem(401, "key_needed", detail, challenge=REALM)
        if not access.may(self.scope):
            raise missing_scope(self.scope)
        return access


def missing_scope(scope: str) -> Problem:
    """Return the answer 403 that names the scope which the key would need."""
    detail = f"The key doesn't have the scope {scope}. Make one that does, in the admin."
    challenge = f'{REALM}, error="insufficient_scope", scope="{scope}"'
    return Problem(403, "scope_missing", detail, challenge=challenge, scope=scope)
