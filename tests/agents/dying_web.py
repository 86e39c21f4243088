"""The entry of a web process that dies as `kill -9` does, once, right after it placed an order.

With FORGETFUL in the environment the session's id is no key of its order any more: the control.
"""

import os
import signal
from pathlib import Path
from typing import Any
from uuid import uuid4

from project.wsgi import application

__all__ = ["application"]


def _wrap() -> None:
    from dataclasses import replace

    from orders.agents import completing

    place, request_of = completing.place_order, completing._request
    crash_at = Path(os.environ["CRASH_AT"])

    def place_and_die(request: Any) -> Any:
        placement = place(request)
        if crash_at.exists():
            crash_at.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return placement

    def forgetful(*args: Any) -> Any:
        return replace(request_of(*args), key=uuid4().hex)

    completing.place_order = place_and_die
    if os.environ.get("FORGETFUL"):
        setattr(completing, "_request", forgetful)  # noqa: B010 - any arguments


_wrap()
