"""Refusals without a body, of Django and its packages, get the shop's page: 405 above all.

Only for people: a program that sends no `Accept: text/html`, htmx and the API get what they got.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from orders.shop.views.errors import WORDS, page_of


class BareErrorMiddleware:
    """Give an empty error answer the page of its status. It stands where the language is known."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if (
            response.status_code in WORDS
            and isinstance(response, HttpResponse)
            and not response.content
            and "text/html" in request.headers.get("Accept", "")
            and "HX-Request" not in request.headers
        ):
            response.content = page_of(response.status_code, request).content
            response["Content-Type"] = "text/html; charset=utf-8"
            response["Content-Length"] = str(len(response.content))
        return response
