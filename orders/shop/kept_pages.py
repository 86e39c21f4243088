"""Pages of the catalogue: with an ETag for all, and kept for a moment for those without a past.

A page is rendered with a mark where its forms have their token, so it is the same for everybody
who sees the same; the mark is replaced in each answer. A browser with a session, a message or
products that it looked at gets a page of its own. The others share one, which is never older than
`KEEP_PAGES_SECONDS`; so no price and no stock is. Cart and checkout are never kept.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import get_language

from orders.shop.recently_viewed import COOKIE as VIEWED
from project.kept import Kept

MOST = 200
"""Pages that a process keeps: about 10 MB."""
MARK = f"form-token-{secrets.token_hex(16)}"
"""Stands for the token in a rendered page (`orders.shop.context`). No reader can know it."""
_PERSONAL = (settings.SESSION_COOKIE_NAME, "messages", VIEWED)


@dataclass(frozen=True)
class Page:
    """A rendered page, with the mark in its forms."""

    content: bytes
    product_id: int | None = None
    """The product that it is about."""

    @cached_property
    def digest(self) -> bytes:
        return hashlib.sha256(self.content).digest()


_pages: Kept[Page] = Kept(most=MOST)


def kept_page(request: HttpRequest, render: Callable[[], Page]) -> tuple[HttpResponseBase, Page]:
    """Return the answer to a GET, and the page that it shows; `render` is called unless it is kept.

    The answer is 304 if the browser has this page, with a token of its own in it.
    """
    request.form_mark = MARK  # type: ignore[attr-defined]
    if any(name in request.COOKIES for name in _PERSONAL):
        page = render()
    else:
        key = request.get_full_path(), get_language()
        page = _pages.get(key, render, seconds=settings.KEEP_PAGES_SECONDS)
    token = get_token(request)
    etag = hashlib.sha256(page.digest + request.META["CSRF_COOKIE"].encode()).hexdigest()[:32]
    response = HttpResponse(page.content.replace(MARK.encode(), token.encode()))
    response["ETag"] = f'"{etag}"'
    # No proxy may keep it, because its forms have the browser's token; the browser asks each time.
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Cookie", "Accept-Language"])
    unchanged = get_conditional_response(request, etag=response["ETag"], response=response)
    return unchanged or response, page
