"""A web process that answers its first requests, warmed up or `cold`; see test_warming.

It prints which tables of addresses, expressions and templates were made for them.
"""

import json
import re
import sys
from collections.abc import Callable
from typing import Any

from django.template.base import Template
from django.urls import URLResolver

from project import warming
from tests.orders.api.bodies import order

made: dict[str, list[str]] = {"addresses": [], "expressions": [], "templates": []}


def noted(function: Callable[..., Any], kind: str, name: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function; it notes the name of each thing that it makes."""

    def note(*args: Any, **options: Any) -> Any:
        made[kind].append(str(name(*args)))
        return function(*args, **options)

    return note


def main() -> None:
    if sys.argv[1:] == ["cold"]:
        warming.warm_up = lambda: None
    import project.wsgi  # noqa: F401 (as gunicorn loads it)

    patched: Any = (URLResolver, Template, re._compiler)
    resolver, template, compiler = patched
    resolver._populate = noted(resolver._populate, "addresses", lambda self: self.pattern)
    template.compile_nodelist = noted(
        template.compile_nodelist, "templates", lambda self: self.origin
    )
    compiler.compile = noted(compiler.compile, "expressions", lambda pattern, *_: pattern)

    from django.test import Client

    client = Client(headers={"host": "localhost"})
    answers = [
        client.get("/"),
        client.get("/", headers={"accept-language": "zh-hans"}),
        client.post(
            "/api/v1/orders",
            order(("MUG", 1)),
            content_type="application/json",
            headers={"idempotency-key": "0198c0de-aaaa-7bbb-8ccc-0123456789ab"},
        ),
    ]
    print(json.dumps({"statuses": [answer.status_code for answer in answers], **made}))


main()
