"""The processes of ffmpeg that this one starts."""

import os
import time
from pathlib import Path

ENDLESS = ["-re", "-f", "lavfi", "-i", "testsrc=size=64x64:rate=10", "-f", "null", "-"]
"""Work that takes as long as one lets it, and hardly any of the processor's time."""


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 30
    while is_alive(pid):
        assert time.monotonic() < deadline, "still alive"
        time.sleep(0.05)


def children() -> list[int]:
    """The processes of ffmpeg that this one started."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = entry.read_text().partition(")")
        except OSError:
            continue
        if "ffmpeg" in name and int(rest.split()[1]) == os.getpid():
            found.append(int(entry.parent.name))
    return found
