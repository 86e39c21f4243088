"""The shop as gunicorn serves it, whose orders don't come to an end while the file $HELD exists.

A file $HELD.one lets one of them go on. `/held` answers how many of them have a thread.
"""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from project.admission.refusal import is_refused
from project.wsgi import application as shop

_hold = Path(os.environ["HELD"])
_one = _hold.with_name(f"{_hold.name}.one")
_held: list[str] = []


def _is_let_go() -> bool:
    try:
        _one.unlink()
    except FileNotFoundError:
        return False
    return True


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/held":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(len(_held)).encode()]
    if environ["REQUEST_METHOD"] == "POST" and not is_refused():
        _held.append(environ["PATH_INFO"])
        while _hold.exists() and not _is_let_go():
            time.sleep(0.02)
        _held.pop()
    return shop(environ, start_response)
