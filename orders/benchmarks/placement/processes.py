"""Clients in processes of their own, on the scratch database."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from django.core.management.base import CommandError
from django.db import connection

from orders.benchmarks.placement.load import Load, together
from orders.benchmarks.placement.shop import Basket
from project.local.env import ROOT

_MAIN = "from orders.benchmarks.placement.client_process import main; main({!r}, {!r}, {!r})"


class Clients:
    """Clients of one variant in one or more processes."""

    def __init__(self, processes: "list[subprocess.Popen[str]]") -> None:
        self._processes = processes
        for process in processes:
            if self._line(process) != "ready":
                raise CommandError("A process of clients doesn't start; see its output.")

    def load(self, *, clients: int, seconds: float) -> Load:
        """Let the clients, as many in each process, place orders for so long."""
        each = clients // len(self._processes)
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write(json.dumps({"clients": each, "seconds": seconds}) + "\n")
            process.stdin.flush()
        return together([self._answer(process) for process in self._processes])

    def _answer(self, process: "subprocess.Popen[str]") -> Load:
        line = self._line(process)
        if not line:
            raise CommandError("A process of clients has ended; see its output.")
        taken, latencies, failed = json.loads(line)
        return Load(taken, latencies, Counter(failed))

    @staticmethod
    def _line(process: "subprocess.Popen[str]") -> str:
        assert process.stdout is not None
        return process.stdout.readline().strip()


@contextmanager
def running_clients(
    variant: str,
    basket: Basket,
    environment: Mapping[str, str],
    *,
    processes: int = 1,
    root: Path = ROOT,
) -> Iterator[Clients]:
    """Run so many processes during the block; it begins when all have placed their first orders.

    `root` is the checkout of their build.
    """
    script = _MAIN.format(variant, basket.products, basket.lines)
    started = [
        subprocess.Popen(
            [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", script],
            cwd=root,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _number in range(processes)
    ]
    try:
        yield Clients(started)
    finally:
        for process in started:
            process.communicate(timeout=30)  # ends its input, and so the process


def scratch_environment(*, port: int | None = None) -> dict[str, str]:
    """Return the environment of a web process on the scratch database, perhaps by another port."""
    url = urlsplit(os.environ["DATABASE_URL"])
    if port is not None:
        login, _at, _server = url.netloc.rpartition("@")
        url = url._replace(netloc=f"{login}@127.0.0.1:{port}")
    return {
        **os.environ,
        "DATABASE_URL": url._replace(path=f"/{connection.settings_dict['NAME']}").geturl(),
        "TANDEM_WEB_PROCESS": "1",
    }
