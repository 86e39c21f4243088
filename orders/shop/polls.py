"""The polls of an order's page that find nothing new, which are nearly all: answered at once.

They need no session, user, language or form, so the middleware of pages isn't passed.
"""

from collections.abc import Callable

from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import resolve
from django.utils import timezone

from orders.shop.progress import version_of

ENDING = "/progress/"
ROUTE = "order-progress"


class PollMiddleware:
    """Answer 204 to a page that shows an order's newest version already; htmx leaves it alone.

    That takes one query. Whatever else is asked for, or goes wrong, is left to the page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._page = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method == "GET" and request.path_info.endswith(ENDING) and "seen" in request.GET:
            try:
                match = resolve(request.path_info)
                is_seen = match.url_name == ROUTE and (
                    version_of(match.kwargs["order_id"], now=timezone.now()) == request.GET["seen"]
                )
            except (Http404, Error):
                is_seen = False
            if is_seen:
                request.resolver_match = match
                return HttpResponse(status=204, headers={"Cache-Control": "private, no-cache"})
        return self._page(request)
