"""Whether this machine's web process is about to stop: `/readyz` says so before the port closes.

A balancer then sends its requests to another machine while this one still answers. The flag is
memory that gunicorn's master and its processes share.
"""

import mmap

from project.conf.environment import whole_number

_flag = mmap.mmap(-1, 1)


def drain_seconds() -> int:
    """Return how long `/readyz` fails before the stop. Raises ImproperlyConfigured."""
    return whole_number("DRAIN_SECONDS", 0, most=60)


def begin() -> None:
    """Let `/readyz` fail in all processes that this one has forked, and will fork."""
    _flag[0] = 1


def is_draining() -> bool:
    return _flag[0] == 1
