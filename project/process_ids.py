"""Tells from its number whether a process lives on this host."""

import os


def is_running(pid: int) -> bool:
    """Tell whether there is a process with this number, whoever's it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
