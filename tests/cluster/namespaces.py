"""What /proc tells of processes and their namespaces, and a thread's way into another network."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NEW_NETWORK = 0x40000000
"""CLONE_NEWNET of setns(2)."""
_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def network_of(pid: int) -> Iterator[None]:
    """Let this thread's new sockets be in the process's network for the length of the block."""
    with open("/proc/thread-self/ns/net") as before, open(f"/proc/{pid}/ns/net") as other:
        _enter(other.fileno())
        try:
            yield
        finally:
            _enter(before.fileno())


def _enter(network: int) -> None:
    if _libc.setns(network, NEW_NETWORK):
        raise OSError(ctypes.get_errno(), "setns")


def children(pid: int) -> list[int]:
    """Return the processes whose parent it is."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, task.read_text().split())
    return found


def descendants(pid: int) -> list[int]:
    """Return its children, their children, and so on."""
    found = children(pid)
    for each in found:
        found += children(each)
    return found


def numbers(pid: int) -> list[str]:
    """Return the process's number in each of its namespaces, the outermost first."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("NSpid:"):
                return line.split()[1:]
    return []


def namespace(pid: int, kind: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}")
    except OSError:
        return ""


def command_line(pid: int) -> str:
    try:
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    except OSError:
        return ""
