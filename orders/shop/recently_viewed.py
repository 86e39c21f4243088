"""The products that this browser looked at last: their ids in a cookie of the browser's own.

The shop keeps nothing of it, and no session is written. The cookie ends with the browser.
"""

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from orders.catalogue.search.listing import in_order
from orders.models import Product

COOKIE = "viewed"
KEPT = 9
"""The shown ones, and the product of the page itself."""
MOST_ID = 2**63 - 1


class RecentlyViewed:
    """The ids in a request's cookie, the last one first. What isn't an id is left out."""

    def __init__(self, request: HttpRequest) -> None:
        texts = request.COOKIES.get(COOKIE, "").split(".")[:KEPT]
        ids = [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 20]
        self.ids = [pk for pk in dict.fromkeys(ids) if pk <= MOST_ID]

    def products(self, *, without: int | None = None) -> list[Product]:
        """Return those that are still on sale, as pages show them. Without any it asks nothing."""
        ids = [pk for pk in self.ids if pk != without][: KEPT - 1]
        return in_order(ids) if ids else []

    def note(self, pk: int, response: HttpResponseBase) -> None:
        """Put the product first; a page that is looked at again writes nothing."""
        if self.ids[:1] == [pk]:
            return
        ids = [pk, *(each for each in self.ids if each != pk)][:KEPT]
        response.set_cookie(
            COOKIE,
            ".".join(map(str, ids)),
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
