"""The real run: web processes with clients, on one or two databases, and what they measure."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from orders.benchmarks.plan.servers import Server
from project.local.env import ROOT

_MAIN = "from orders.benchmarks.plan.client_process import main; main({!r})"
PROCESSES = 2


@dataclass
class Load:
    """The orders of a time, and the seconds of CPU that they took."""

    seconds: float
    latencies: list[float]
    python: float = 0.0
    """Of the web processes, their writers among it."""
    database: float = 0.0
    """Of all servers' processes."""
    others: float = 0.0
    """The cores that other work on the machine had meanwhile."""
    writers: dict[str, dict[str, float]] = field(default_factory=dict)
    """By kind: `batches`, `items`, and the CPU of the threads (`python`) and their sessions
    (`database`)."""

    @property
    def orders(self) -> int:
        return len(self.latencies)

    @property
    def per_second(self) -> float:
        return self.orders / self.seconds

    def percentile_ms(self, percent: float) -> float:
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)]


class Shop:
    """Running web processes. A load in which an order fails is none: CommandError."""

    def __init__(self, servers: Sequence[Server], processes: "list[subprocess.Popen[str]]") -> None:
        self._servers, self._processes = servers, processes
        for process in processes:
            if _line(process) != "ready":
                raise CommandError("A web process of the benchmark doesn't start; see its output.")

    def load(self, *, clients: int, seconds: float, lines: int = 2, share: float = 0.0) -> Load:
        """Let so many clients in all order for so long; fewer clients than processes are in one."""
        processes = self._processes[: min(clients, len(self._processes))]
        before, busy = self._database(), _busy()
        answers = _ask(
            processes,
            {
                "clients": clients // len(processes),
                "seconds": seconds,
                "lines": lines,
                "share": share,
            },
        )
        if failed := [error for answer in answers for error in answer["failed"]]:
            raise CommandError(f"{len(failed)} orders failed, such as by {failed[0]}")
        kinds = {kind: names.keys() for kind, names in answers[0]["writers"].items()}
        seconds = max(answer["seconds"] for answer in answers)
        python = sum(answer["python"] for answer in answers)
        database = self._database() - before
        return Load(
            seconds=seconds,
            latencies=[latency for answer in answers for latency in answer["latencies"]],
            python=python,
            database=database,
            others=max((_busy() - busy - python - database) / seconds, 0.0),
            writers={
                kind: {name: sum(each["writers"][kind][name] for each in answers) for name in names}
                for kind, names in kinds.items()
            },
        )

    def commits(self, *, orders: int) -> dict[str, float]:
        """Return the milliseconds of a batch of so many orders, by the way of its commit."""
        [found] = _ask(self._processes[:1], {"orders": orders})
        return dict(found)

    def _database(self) -> float:
        return sum(server.cpu_seconds() for server in self._servers)


@contextmanager
def shop(servers: Sequence[Server]) -> Iterator[Shop]:
    """Run the web processes of a shop on these databases during the block."""
    started = [
        subprocess.Popen(
            [
                *(sys.executable, "manage.py", "shell", "--verbosity", "0", "--command"),
                _MAIN.format([server.url for server in servers]),
            ],
            cwd=ROOT,
            env=servers[0].environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _process in range(PROCESSES)
    ]
    try:
        yield Shop(servers, started)
    finally:
        for process in started:
            process.communicate(timeout=60)  # ends its input, and so the process


def _busy() -> float:
    """Return the seconds that all cores have computed since the machine's start; 0 if unknown."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    except OSError:
        return 0.0
    user, nice, system, _idle, _io, irq, softirq, steal = map(int, fields)
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _ask(processes: "list[subprocess.Popen[str]]", question: dict[str, Any]) -> list[Any]:
    """Ask all at the same time; return their answers."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(json.dumps(question) + "\n")
        process.stdin.flush()
    return [json.loads(_line(process) or _ended()) for process in processes]


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _ended() -> str:
    raise CommandError("A web process of the benchmark has ended; see its output.")
