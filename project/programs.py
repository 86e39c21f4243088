"""Requests of programs: API, agents and liveness page pass only the middleware that they need.

They have no session, no user, no messages and no forms, so nothing is read of a cookie but the
language. The headers are those of a page. The API's page for people passes what pages pass.
"""

from collections.abc import Callable
from typing import Any, ClassVar, cast

from csp.constants import HEADER as POLICY_HEADER
from csp.utils import build_policy
from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

Answer = Callable[[HttpRequest], HttpResponseBase]

API, FOR_PEOPLE = "/api/", "/api/v1/docs"
LIVENESS = "/healthz"
AGENTS = ("/ucp/", "/.well-known/")


def is_of_a_program(path: str) -> bool:
    """Tell whether only programs ask for this path."""
    if path.startswith(API):
        return path != FOR_PEOPLE
    return path == LIVENESS or path.startswith(AGENTS)


class ProgramMiddleware:
    """Lead the requests of programs past the middleware that stands below this one."""

    def __init__(self, get_response: Answer) -> None:
        self._page = get_response
        self._program = _chain(settings.PROGRAM_MIDDLEWARE)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self._program if is_of_a_program(request.path_info) else self._page
        return answer(request)


def _chain(names: list[str]) -> Answer:
    """Return Django's own way from a request to its view, through this middleware.

    It must have no `process_view` and the like: these are a handler's own lists.
    """
    answer = cast("Answer", convert_exception_to_response(_Views()._get_response))
    for name in reversed(names):
        answer = cast("Answer", convert_exception_to_response(import_string(name)(answer)))
    return answer


class _Views(BaseHandler):
    """Django's handler, which finds and calls a view, without middleware of its own."""

    _view_middleware: ClassVar[list[Any]] = []
    _template_response_middleware: ClassVar[list[Any]] = []
    _exception_middleware: ClassVar[list[Any]] = []
    _get_response: Answer


class HeaderMiddleware:
    """Set what the middleware of pages sets on each answer: the policy, and the ban of frames."""

    def __init__(self, get_response: Answer) -> None:
        self._answer = get_response
        self._headers = {
            POLICY_HEADER: build_policy(),
            "X-Frame-Options": settings.X_FRAME_OPTIONS,
        }

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._answer(request)
        for name, value in self._headers.items():
            response.headers.setdefault(name, value)
        return response
