"""The error pages, in the shop's design, each with a way on.

They read neither session nor database. A page that isn't there offers the categories, if the
database answers.
"""

import sys

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import REASON_NO_CSRF_COOKIE
from django.template import loader
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orders.catalogue.browsing import categories_on_sale
from orders.models import Category
from project.conf.media_storage import is_away
from project.database.errors import dropped_if_lost

WORDS: dict[int, tuple[Promise, Promise]] = {
    400: (
        gettext_lazy("We couldn't read your request"),
        gettext_lazy("What your browser sent was not in order. Please go back and try again."),
    ),
    403: (
        gettext_lazy("This page is not for you"),
        gettext_lazy("You don't have the right to see it."),
    ),
    404: (
        gettext_lazy("There is nothing here"),
        gettext_lazy("The page may have moved, or its address has a typing error."),
    ),
    405: (
        gettext_lazy("This address opens nothing by itself"),
        gettext_lazy("It belongs to a button or a form. Please go back and use that."),
    ),
    413: (
        gettext_lazy("That was too much at once"),
        gettext_lazy(
            "What you sent is too large. Please go back and send a smaller file or less text."
        ),
    ),
    429: (
        gettext_lazy("Too many requests"),
        gettext_lazy("You tried this very often in a short time. Nothing is lost."),
    ),
    500: (
        gettext_lazy("Something went wrong on our side"),
        gettext_lazy("It was noted, and we look into it. Please try again in a moment."),
    ),
    503: (
        gettext_lazy("The shop is busy"),
        gettext_lazy("Nothing is lost. Please try again in a moment."),
    ),
}
"""Title and text by status."""
AGAIN = (429, 500, 503)
"""The statuses that may be another a moment later."""


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 413 to a body that is too large, else 400."""
    if isinstance(exception, RequestDataTooBig):
        return page_of(413, request)
    return page_of(400, request)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page_of(403, request)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return page_of(404, request)


def too_many_requests(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Most limits are by the minute; those by the hour or day say the same again after it."""
    return page_of(429, request, retry_after=60)


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, object] | None
) -> HttpResponse:
    """Answer for django-axes after too many wrong passwords."""
    title = _("Too many wrong passwords")
    text = _("Sign-in with a password is blocked for an hour. You can sign in with a code.")
    return _page(429, title, text, retry_after=settings.AXES_COOLOFF_TIME * 3600)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 if the database is down or busy or all its connections are in use, or if the media
    storage is down or full; else 500.
    """
    error = sys.exception()
    if dropped_if_lost(error, connection) or is_away(error):
        return page_of(503, request, retry_after=5)
    return page_of(500, request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form without a valid token. A checkout is shown again, with all that was typed."""
    if request.path == reverse("checkout"):
        from orders.shop.views.checkout import bring_back  # it imports half the shop

        try:
            return bring_back(request, has_cookie=reason != REASON_NO_CSRF_COOKIE)
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


def page_of(status: int, request: HttpRequest, *, retry_after: int = 0) -> HttpResponse:
    """Return the page of an error status that `WORDS` has. `retry_after`: seconds, 0 for never."""
    title, text = WORDS[status]
    again = request.get_full_path() if status in AGAIN and request.method == "GET" else ""
    return _page(
        status,
        str(title),
        str(text),
        retry_after=retry_after,
        again=again,
        # The API makes a problem of it, for which nothing is read.
        categories=_categories()
        if status == 404 and not request.path_info.startswith("/api/")
        else None,
    )


def _categories() -> list[Category]:
    """Return the categories with something on sale; none if the database is away."""
    try:
        return list(categories_on_sale())
    except Error as error:
        dropped_if_lost(error, connection)
        return []


def _page(
    status: int,
    title: str,
    text: str,
    *,
    retry_after: int = 0,
    again: str = "",
    categories: list[Category] | None = None,
) -> HttpResponse:
    context = {
        "shop_name": settings.SHOP_NAME,
        "status": status,
        "title": title,
        "text": text,
        "wait": _in_words(retry_after) if retry_after else "",
        "again": again,
        "categories": categories,
        "has_search": status == 404,
    }
    response = HttpResponse(loader.render_to_string("shop/error.html", context), status=status)
    if retry_after:
        response["Retry-After"] = str(retry_after)
    return response


def _in_words(seconds: int) -> str:
    """Return when to try again: what `Retry-After` tells programs."""
    if seconds < 60:
        text = ngettext(
            "Try again in %(count)d second.", "Try again in %(count)d seconds.", seconds
        )
        return text % {"count": seconds}
    minutes = -(-seconds // 60)
    text = ngettext("Try again in %(count)d minute.", "Try again in %(count)d minutes.", minutes)
    return text % {"count": minutes}
