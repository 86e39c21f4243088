"""`bench processes`: what 1, 2, 4 and 8 web processes on this machine answer.

All numbers are there at the same time, each on a port of its own and on the same database, and are
asked in turns. All share the machine, so beyond its cores more processes only show what they cost.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from django.core.management.base import CommandError

from orders.benchmarks.http import REQUESTS
from orders.benchmarks.http.builds import START_SECONDS, UNREACHED, Build, Served, running
from orders.benchmarks.http.client import get, load
from orders.benchmarks.http.rounds import in_turns
from project.benchmarks import Report, judged
from project.local.data_folder import free_port
from project.local.env import ROOT, without_settings

SIZES = (1, 2, 4, 8)
ASKED = ("POST order", "home", "product page", "list by API")
GUNICORN = (sys.executable, "-m", "gunicorn", "-c", "python:project.gunicorn", "project.wsgi")


def bench_processes(numbers: tuple[int, ...] = SIZES) -> Report:
    """Ask these numbers of web processes, in turns."""
    with running([Build(ROOT)]) as [shop], _beside(shop, numbers) as shops:
        rows = [row for what in ASKED for row in in_turns(what, REQUESTS[what], shops)]
    found: list[dict[str, Any]] = [{"processes": int(row.pop("build"))} | row for row in rows]
    first = {row["what"]: row["per_second"] for row in found if row["processes"] == numbers[0]}
    ratios = {
        f"{row['what']}, {row['processes']} to {numbers[0]}": row["per_second"] / first[row["what"]]
        for row in found
        if row["processes"] != numbers[0]
    }
    return judged(found, ratios, {})


@contextmanager
def _beside(shop: Served, numbers: Sequence[int]) -> Iterator[dict[str, Served]]:
    """Run these numbers of web processes on the shop's database during the block."""
    with ExitStack() as stack:
        yield {str(number): stack.enter_context(_started(shop, number)) for number in numbers}


@contextmanager
def _started(shop: Served, number: int) -> Iterator[Served]:
    port = free_port()
    process = subprocess.Popen(
        [*GUNICORN[:-1], "--workers", str(number), GUNICORN[-1]],
        cwd=ROOT,
        env={
            **without_settings(os.environ),
            "TANDEM_DATA": str(shop.data),
            "PORT": str(port),
            "ORDER_LIMITS": UNREACHED,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port, process)
        yield replace(shop, port=port, web=process.pid)
    finally:
        process.terminate()
        process.wait(60)


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            load(port, get("/healthz"), connections=1, seconds=0.0)
            return
        except (OSError, EOFError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise CommandError("A web process of the benchmark doesn't answer.") from None
            time.sleep(0.2)
