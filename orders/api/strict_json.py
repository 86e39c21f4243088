"""The API's parser of request bodies: strict JSON."""

from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

from orders.api.problems import Problem
from project.strict_json import read_json


class StrictParser(Parser):
    """Refuses invalid JSON, and objects that have a name twice."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return the parsed body. Raises Problem: 415, 400."""
        if request.content_type != "application/json":
            detail = "The body must be application/json."
            raise Problem(415, "unsupported_media_type", detail)
        try:
            return read_json(request.body)
        except ValueError as error:
            raise Problem(400, "bad_request", f"The body is not JSON. {error}.") from None
