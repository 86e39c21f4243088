"""The running processes of a shop, and whether its database answers."""

import os
from pathlib import Path

import psycopg

from project.local.processes import start_of
from tests.live import LiveShop


def processes_of(shop: LiveShop) -> list[str]:
    """The command lines of all processes that were started for this shop."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
            command_line = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:
            continue
        data = os.fsencode(shop.data)
        if start_of(int(folder.name)) and (
            b"TANDEM_DATA=" + data in environment or data in command_line
        ):
            found.append(command_line.decode())
    return found


def answers(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True
