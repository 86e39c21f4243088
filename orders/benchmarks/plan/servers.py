"""The PostgreSQL servers of a real run: embedded ones, of which each has the same shop."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from notifications.benchmarks.processes import cpu_seconds
from project.local.data_folder import DataFolder
from project.local.embedded.postgres import SUPERUSER, PostgresServer
from project.local.embedded.running import (
    local_values,
    running_postgres,
    temporary_data_folder,
)
from project.local.env import ROOT, without_settings
from project.local.processes import PidFile

_PRODUCTS = "from orders.benchmarks.placement.shop import create_products; create_products()"


@dataclass(frozen=True)
class Server:
    """A running server of the shop."""

    url: str
    pid: int
    folder: Path
    environment: dict[str, str]
    """Of a web process of this database."""

    def cpu_seconds(self) -> float:
        """Return what all its processes have computed so far."""
        return cpu_seconds(self.pid)


@contextmanager
def running_nodes(count: int) -> Iterator[list[Server]]:
    """Run so many servers during the block, each with the products of the placement benchmark."""
    with ExitStack() as stack:
        folders = [stack.enter_context(temporary_data_folder()) for _number in range(count)]
        _fill(folders[0])
        for folder in folders[1:]:  # not by shutil: the database's files belong to its account
            copy = ["cp", "-a", f"{folders[0].path}/.", str(folder.path)]
            subprocess.run(copy, check=True)
        yield [_server(folder, stack.enter_context(running_postgres(folder))) for folder in folders]


def _environment(folder: DataFolder, postgres: PostgresServer) -> dict[str, str]:
    return {
        **without_settings(os.environ),
        **local_values(folder),
        "DATABASE_URL": postgres.url,
        "CELERY_BROKER_URL": "redis://127.0.0.1:9/0",  # nothing rings
        "TANDEM_WEB_PROCESS": "1",
    }


def _fill(folder: DataFolder) -> None:
    """Make the shop. Prepared transactions, which PostgreSQL has off, come with the next start."""
    with running_postgres(folder) as postgres:
        values = _environment(folder, postgres)
        for command in (["migrate", "--verbosity", "0"], ["shell", "-v", "0", "-c", _PRODUCTS]):
            subprocess.run(
                [sys.executable, "manage.py", *command], cwd=ROOT, env=values, check=True
            )
        with psycopg.connect(
            host="127.0.0.1",
            port=postgres.port,
            user=SUPERUSER,
            password=folder.secret("postgres_password"),
            dbname="postgres",
            autocommit=True,
        ) as session:
            session.execute("ALTER SYSTEM SET max_prepared_transactions = 64")


def _server(folder: DataFolder, postgres: PostgresServer) -> Server:
    pid = PidFile(folder.run, postgres.name).living()
    assert pid is not None
    return Server(postgres.url, pid, folder.path, _environment(folder, postgres))
