"""The error pages, in the shop's design. They read neither database nor session."""

import sys

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.urls import reverse
from django.utils.translation import gettext as _

from project.conf.media_storage import is_away
from project.database.errors import dropped_if_lost


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(
        400,
        _("We couldn't read your request"),
        _("What your browser sent was too much or not in order. Please go back and try again."),
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(403, _("This page is not for you"), _("You don't have the right to see it."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(
        404,
        _("There is nothing here"),
        _("The page may have moved, or its address has a typing error."),
    )


def too_many_requests(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        429,
        _("Too many requests"),
        _("You tried this very often in a short time. Please wait a few minutes."),
    )


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, object] | None
) -> HttpResponse:
    """Answer for django-axes after too many wrong passwords."""
    return _page(
        429,
        _("Too many wrong passwords"),
        _("Sign-in with a password is blocked for an hour. You can sign in with a code."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 if the database is down or busy or all its connections are in use, or if the media
    storage is down or full; else 500.
    """
    error = sys.exception()
    if dropped_if_lost(error, connection) or is_away(error):
        response = _page(
            503, _("The shop is busy"), _("Nothing is lost. Please try again in a moment.")
        )
        response["Retry-After"] = "5"
        return response
    return _page(
        500,
        _("Something went wrong on our side"),
        _("It was noted, and we look into it. Please try again in a moment."),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form without a valid token. A checkout is shown again, with all that was typed."""
    if request.path == reverse("checkout"):
        from orders.shop.views.checkout import bring_back  # it imports half the shop

        try:
            return bring_back(request)
        except Error as error:
            dropped_if_lost(error, connection)
    return _page(
        403,
        _("This form is out of date"),
        _(
            "Go back, reload the page, and send the form again. Your browser must accept cookies"
            " from this shop."
        ),
    )


def _page(status: int, title: str, text: str) -> HttpResponse:
    context = {"shop_name": settings.SHOP_NAME, "status": status, "title": title, "text": text}
    return HttpResponse(loader.render_to_string("shop/error.html", context), status=status)
