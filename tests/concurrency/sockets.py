"""The TCP connections of processes, as the kernel lists them."""

import os
from contextlib import suppress
from pathlib import Path


def family(pid: int) -> list[int]:
    """Return the process and all that it started, but for what ends meanwhile."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(member for child in children for member in family(int(child)))]


def connects_to(pid: int, port: int) -> bool:
    """Return whether the process holds a TCP connection to that port of any machine."""
    return bool(_sockets(pid) & _connections(pid, port))


def _sockets(pid: int) -> set[str]:
    """The inodes of the process's sockets."""
    links = set()
    for entry in os.scandir(f"/proc/{pid}/fd"):
        with suppress(OSError):  # closed meanwhile
            links.add(os.readlink(entry.path))
    return {link[len("socket:[") : -1] for link in links if link.startswith("socket:[")}


def _connections(pid: int, port: int) -> set[str]:
    """The inodes of all connections to the port, whosever they are."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        path = Path(f"/proc/{pid}/net/{table}")
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            _, _, remote, _, _, _, _, _, _, inode, *_ = line.split()
            if int(remote.rpartition(":")[2], 16) == port:
                inodes.add(inode)
    return inodes
