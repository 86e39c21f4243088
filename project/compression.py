"""Pages, style sheets and scripts are sent compressed to browsers that can read it.

In production a release's static files are compressed once, by `collectstatic`, and sent as they
are. A local run has none of those; and pages are made anew for each request.
"""

from http import HTTPStatus

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

COMPRESSED = ("text/html", "text/css", "text/javascript", "image/svg+xml")
"""What people wait for. Exports and pictures have their own compression, programs want none."""


class CompressionMiddleware(GZipMiddleware):
    """Django's, for these types only.

    It hides the length of what is compressed, and forms hide their tokens: BREACH finds neither.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        is_part = response.status_code == HTTPStatus.PARTIAL_CONTENT
        if is_part or not response.headers.get("Content-Type", "").startswith(COMPRESSED):
            return response
        if response.streaming and "Content-Encoding" not in response.headers:
            # A static file. WhiteNoise wouldn't know its weakened tag again, but knows its time.
            del response.headers["ETag"]
        return super().process_response(request, response)
