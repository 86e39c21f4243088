"""SMS_SUCCESS: what in a gateway's answer says that it took the message.

    code=0|OK                            at `code` of the JSON there is 0, "0" or "OK"
    gateway.example:messages.0.status=0  for one of several gateways; the place is a path

Many gateways answer 200 whatever happened, and say inside what did.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from django.core.exceptions import ImproperlyConfigured

RULE = re.compile(
    r"(?:(?P<host>[^\s=|]+):)?(?P<path>[^\s=|:.]+(?:\.[^\s=|:.]+)*)=(?P<values>[^\s|]+(?:\|[^\s|]+)*)"
)


@dataclass(frozen=True)
class Success:
    path: tuple[str, ...]
    """Names of objects and numbers of lists, from the outermost."""
    values: frozenset[str]
    """The values that mean success, as JSON writes it: 0, true, OK."""

    def find(self, answer: Any) -> str | int | float | bool | None:
        """Return what the answer has at the path. Raises LookupError if that is no single value."""
        for step in self.path:
            if isinstance(answer, list) and step.isascii() and step.isdecimal():
                answer = answer[int(step[:9])]
            elif isinstance(answer, dict):
                answer = answer[step]
            else:
                raise LookupError(step)
        if isinstance(answer, dict | list):
            raise LookupError
        return answer


def sms_success(name: str, value: str) -> Mapping[str, Success]:
    """Return what means yes by the gateway's host; "" is every other one.

    Raises ImproperlyConfigured that names the variable.
    """
    found: dict[str, Success] = {}
    for rule in value.split():
        match = RULE.fullmatch(rule)
        host = (match["host"] or "").lower() if match else ""
        if match is None or host in found:
            raise ImproperlyConfigured(
                f"{name}: give PATH=VALUE|VALUE like code=0|OK, or HOST:PATH=VALUE for each of"
                f" several gateways, with spaces between; {rule!r} is not that, or there twice."
            )
        found[host] = Success(
            path=tuple(unquote(step) for step in match["path"].split(".")),
            values=frozenset(unquote(good) for good in match["values"].split("|")),
        )
    return found
