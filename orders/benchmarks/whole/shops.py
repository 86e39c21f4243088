"""A whole shop under measurement: `manage.py up` of one build, in a data folder of its own.

Both builds are read by SQL that either has: their models differ.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.core.management.base import CommandError

from notifications.benchmarks.processes import cpu_seconds, pss_megabytes
from orders.benchmarks.http.builds import START_SECONDS, UNREACHED
from project.local.data_folder import free_port
from project.local.embedded.running import temporary_data_folder
from project.local.env import SETTING_NAMES

UNITS = 10**8
JOBS = ("notifications_notification", "media_jobs_mediajob", "orders_deskjob")
SERVERS = ("postgres", "valkey")
LOG = "shop.log"


@dataclass(frozen=True)
class Shop:
    """A running shop: where it answers, its processes, its database."""

    port: int
    run: Path
    database_url: str

    def processes(self) -> dict[str, int]:
        """Return the ids of its processes, servers too, by name; each has its children."""
        return {path.stem: int(path.read_text()) for path in sorted(self.run.glob("*.pid"))}

    def held(self) -> dict[str, float]:
        """Return the megabytes (PSS) that each process holds with its children.

        The supervisor is every other process's parent: it counts alone.
        """
        return {
            name: pss_megabytes(pid, children=name != "up")
            for name, pid in self.processes().items()
        }

    def cpu(self) -> dict[str, float]:
        """Return the processor seconds of each process and its children."""
        pids = self.processes().items()
        return {name: cpu_seconds(pid) for name, pid in pids if name != "up"}

    def ask(self, statement: str) -> list[tuple[object, ...]]:
        """Return the rows of a statement in the shop's database."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            found = connection.execute(statement)
            return found.fetchall() if found.description else []

    def count_jobs(self, *statuses: str) -> int:
        """Return how many jobs have one of these statuses."""
        listed = ", ".join(f"'{status}'" for status in statuses)
        parts = (f"SELECT FROM {table} WHERE status IN ({listed})" for table in JOBS)
        [(count,)] = self.ask(f"SELECT count(*) FROM ({' UNION ALL '.join(parts)}) AS jobs")
        assert isinstance(count, int)
        return count

    def wait_for_jobs(self, *, seconds: float) -> bool:
        """Return whether all jobs have ended within so many seconds."""
        deadline = time.monotonic() + seconds
        while self.count_jobs("queued", "running"):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
        return True


@contextmanager
def running_shop(worktree: Path) -> Iterator[Shop]:
    """Run a fresh shop of this build during the block; its demo's pictures are made."""
    port = free_port()
    own = {name: value for name, value in os.environ.items() if name not in SETTING_NAMES}
    with temporary_data_folder() as data:
        environment = {
            **own,
            "TANDEM_DATA": str(data.path / "shop"),
            "TANDEM_LOCAL": "1",
            "PORT": str(port),
            "SITE_URL": f"http://localhost:{port}",
            "ORDER_LIMITS": UNREACHED,
        }
        log = data.path / LOG
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=worktree,
                env=environment,
                stdout=output,
                stderr=output,
            )
        try:
            _wait_until_up(process, log)
            shop = Shop(port, data.path / "shop" / "run", _database_url(data.path / "shop" / "env"))
            shop.ask(f"UPDATE orders_stock SET initial = {UNITS}, available = {UNITS}")
            shop.wait_for_jobs(seconds=START_SECONDS)
            yield shop
        finally:
            process.terminate()
            process.wait(60)


def _wait_until_up(process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while "Tandem is up" not in log.read_text(errors="replace"):
        if process.poll() is not None or time.monotonic() > deadline:
            said = log.read_text(errors="replace")[-2000:]
            raise CommandError(f"{process.args!r} doesn't come up: {said}")
        time.sleep(0.2)


def _database_url(env: Path) -> str:
    from environ import Env

    values = dict(line.split("=", 1) for line in env.read_text().splitlines() if "=" in line)
    settings = Env.db_url_config(values["DATABASE_URL"].strip("'\""))
    return (
        f"host={settings['HOST']} port={settings['PORT']} user={settings['USER']}"
        f" password={settings['PASSWORD']} dbname={settings['NAME']}"
    )
