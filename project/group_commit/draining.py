"""How committers end: what they took is finished before their process is gone."""

import atexit
from collections.abc import Callable

_drains: list[Callable[[], object]] = []


def drain_on_exit(drain: Callable[[], object]) -> None:
    """Have the function called when the process ends, to finish what its committers took.

    By gunicorn's `worker_exit` in the web process, by atexit in commands. It may be called twice.
    """
    _drains.append(drain)
    atexit.register(drain)


def drain_all() -> None:
    """Finish what the committers of this process took, and stop them."""
    for drain in _drains:
        drain()
