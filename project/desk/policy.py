"""The admin's content security policy: own resources, and the inline scripts that unfold needs.

django-csp leaves the admin out (`EXCLUDE_URL_PREFIXES`): its policy for the shop allows no
`eval`, and Alpine, which unfold uses, does not work without it.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

PREFIX = "/admin/"
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        " ".join(("img-src 'self' data: blob:", *settings.MEDIA_ORIGINS)),
        " ".join(("media-src 'self'", *settings.MEDIA_ORIGINS)),
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


class AdminPolicyMiddleware:
    """Set the policy on every page of the admin."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.path_info.startswith(PREFIX):
            response["Content-Security-Policy"] = POLICY
        return response
