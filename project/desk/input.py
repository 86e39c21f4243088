"""Junk in the addresses and forms of the desk's lists: answered with 400, never an error of ours.

Django's admin hands what it is given to the database: a NUL, a key that is none, a year beyond
any calendar. Such requests come from scanners and from links that were cut.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import Model
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase

from project.desk.policy import PREFIX

LIST = "_changelist"
"""The end of the names of the lists' URLs."""
_PART_OF_DATE = re.compile(r"__(year|month|day)$")
_YEARS = range(1, 10_000)
_PATTERN = re.compile(r"__i?regex$")
"""A pattern that PostgreSQL can't read, or reads for ever; no link of the desk has one."""


class DeskInputMiddleware:
    """Refuse what no page of the desk can mean, before the admin sees it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: list[Any], kwargs: dict[str, Any]
    ) -> None:
        """Raise BadRequest, which Django answers with 400."""
        if not request.path_info.startswith(PREFIX):
            return
        _refuse_nul(map(str, kwargs.values()))
        refuse_junk(request.GET)
        match = request.resolver_match
        # Only a list's form is read here: others may carry files, which their views receive.
        if request.method == "POST" and match and match.url_name and match.url_name.endswith(LIST):
            _refuse_nul(_texts(request.POST))
            _check_keys(_model_of(match.url_name), request.POST.getlist(ACTION_CHECKBOX_NAME))


def refuse_junk(given: QueryDict) -> None:
    """Raise BadRequest if these parameters can be none of a list."""
    _refuse_nul(_texts(given))
    for name in filter(_PART_OF_DATE.search, given):
        value = str(given[name])
        if not (value.isdecimal() and int(value) in _YEARS):
            raise BadRequest(f"{name} is no part of a date")
    for name in filter(_PATTERN.search, given):
        raise BadRequest(f"{name} asks for a pattern")


def _texts(given: QueryDict) -> Iterable[str]:
    for name, values in given.lists():
        yield name
        yield from map(str, values)


def _refuse_nul(texts: Iterable[str]) -> None:
    if any("\x00" in text for text in texts):
        raise BadRequest("a NUL character")


def _model_of(url_name: str) -> type[Model] | None:
    for model in admin.site._registry:
        if url_name == f"{model._meta.app_label}_{model._meta.model_name}{LIST}":
            return model
    return None


def _check_keys(model: type[Model] | None, keys: list[str]) -> None:
    """Raise BadRequest unless each is a key that a row of the model can have."""
    if model is None:
        return
    for key in keys:
        try:
            model._meta.pk.run_validators(model._meta.pk.to_python(key))
        except ValidationError as error:
            raise BadRequest(f"{key[:40]!r} is no key") from error
