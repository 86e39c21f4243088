"""A benchmark that is ended early leaves no process behind."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from project.local.env import ROOT
from tests.live import wait_until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(120)]


def relays_of(pid: int) -> list[Path]:
    """Return the relays that the process has started, as folders of /proc."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [folder for child in children if is_relay(folder := Path(f"/proc/{child}"))]


def is_relay(folder: Path) -> bool:
    """Tell whether the process is one; not if it has ended meanwhile."""
    with suppress(FileNotFoundError):
        return b"relay" in (folder / "cmdline").read_bytes()
    return False


def test_sigterm_ends_its_relay_too(django_db_setup: None) -> None:
    bench = subprocess.Popen(
        [sys.executable, "manage.py", "bench", "jobs", "--sizes", "20,10,1"],
        cwd=ROOT,
        env=dict(os.environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: relays_of(bench.pid), seconds=60, what="the benchmark's relay")
        (relay,) = relays_of(bench.pid)

        bench.send_signal(signal.SIGTERM)

        assert bench.wait(60) == 143
        wait_until(lambda: not relay.exists(), seconds=10, what="the relay ends")
    finally:
        bench.kill()
        bench.wait()
