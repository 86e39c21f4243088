"""A list as an operator asks for it, outside of the operator's request."""

from typing import Any

from django.http import HttpRequest, QueryDict

from project.desk.input import refuse_junk


def list_request(*, user: Any, query: str) -> HttpRequest:
    """Return the request of this user for a list with this query string.

    Raises BadRequest for parameters that no list can have.
    """
    request = HttpRequest()
    request.method, request.user = "GET", user
    request.GET = QueryDict(query.removeprefix("?"))
    refuse_junk(request.GET)
    return request
