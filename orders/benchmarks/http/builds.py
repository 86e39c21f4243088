"""A build under measurement: its web process as `bin/up` starts it, with servers of its own.

There is no relay and no worker, so nothing but requests runs.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.core.management.base import CommandError

from notifications.benchmarks.processes import cpu_seconds
from orders.benchmarks.http.client import get, load
from project.local.data_folder import DataFolder, free_port
from project.local.embedded.running import temporary_data_folder
from project.local.processes import PidFile

START_SECONDS = 900.0
LOG = "build.log"
FILLING = Path(__file__).with_name("filling.py")
UNREACHED = ",".join(f"{each}=900000000/d" for each in ("address", "email", "phone", "all"))
"""Order limits that count each order, and refuse none."""

_START = """
set -e
export PORT={port} ORDER_LIMITS={limits}
{python} manage.py migrate --verbosity 0 >&2
{python} manage.py demo >&2
{python} manage.py shell --verbosity 0 < {filling} >&2
exec {python} -m gunicorn -c python:project.gunicorn {application}
"""


@dataclass(frozen=True)
class Build:
    """What is measured: a worktree, and what gunicorn serves of it."""

    worktree: Path
    application: str = "project.wsgi"


@dataclass(frozen=True)
class Served:
    """A running build: where it answers, and whose time its requests take."""

    port: int
    web: int
    database: int
    """Process ids; each with its children."""
    data: Path
    """The data folder, by which other processes find its servers."""

    def cpu_seconds(self) -> dict[str, float]:
        """Return what web processes, PostgreSQL and this process have computed so far."""
        return {
            "web": cpu_seconds(self.web),
            "database": cpu_seconds(self.database),
            "client": time.process_time(),
        }


@contextmanager
def running(builds: Sequence[Build]) -> Iterator[list[Served]]:
    """Run the builds during the block; yield where they are."""
    with ExitStack() as stack:
        started = [stack.enter_context(_started(build)) for build in builds]
        yield [_wait(*each) for each in started]


@contextmanager
def _started(build: Build) -> Iterator[tuple["subprocess.Popen[bytes]", int, DataFolder]]:
    port = free_port()
    script = _START.format(
        port=port,
        limits=UNREACHED,
        python=sys.executable,
        filling=FILLING,
        application=build.application,
    )
    command = [sys.executable, "-m", "project.local.embedded", "run", "--data"]
    with temporary_data_folder() as data:
        with (data.path / LOG).open("wb") as log:
            process = subprocess.Popen(
                [*command, str(data.path), "--", "sh", "-c", script],
                cwd=build.worktree,
                stdout=log,
                stderr=log,
            )
        try:
            yield process, port, data
        finally:
            process.terminate()
            process.wait(60)


def _wait(process: "subprocess.Popen[bytes]", port: int, data: DataFolder) -> Served:
    """Wait until the build answers. Raises CommandError with the end of its output."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            load(port, get("/healthz"), connections=1, seconds=0.0)
            break
        except (OSError, EOFError):
            if process.poll() is not None or time.monotonic() > deadline:
                said = (data.path / LOG).read_text(errors="replace")[-2000:]
                raise CommandError(f"{process.args!r} doesn't answer: {said}") from None
            time.sleep(0.2)
    web, database = (PidFile(data.run, name).living() for name in ("command", "postgres"))
    if web is None or database is None:
        raise CommandError("A server ended as soon as the build answered.")
    return Served(port, web=web, database=database, data=data.path)
