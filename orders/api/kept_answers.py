"""Answers about the catalogue: the same for everybody, so a process keeps them for a moment.

They are never older than `KEEP_PAGES_SECONDS`. A client that sends `If-None-Match` is answered with
304 while nothing changed.
"""

import hashlib
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from pydantic import BaseModel

from project.kept import Kept

MOST = 200
"""Answers that a process keeps: about 10 MB."""
_answers: Kept[tuple[bytes, str]] = Kept(most=MOST)


def kept_answer(request: HttpRequest, read: Callable[[], BaseModel]) -> HttpResponseBase:
    """Return the answer to a GET by this address; `read` is called unless it is kept."""

    def make() -> tuple[bytes, str]:
        content = read().model_dump_json().encode()
        return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'

    key = request.get_full_path()
    content, etag = _answers.get(key, make, seconds=settings.KEEP_PAGES_SECONDS)
    response = HttpResponse(content, content_type="application/json; charset=utf-8")
    response["ETag"] = etag
    response["Cache-Control"] = "no-cache"  # ask each time: a 304 costs little
    return get_conditional_response(request, etag=etag, response=response) or response
