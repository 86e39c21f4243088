"""Processes are kept alive, and leave nothing behind however the supervisor ends."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from project.local.console import Console
from project.local.data_folder import DataFolder
from project.local.errors import CannotStart
from project.local.processes import PidFile, start_of
from project.local.supervisor import Service, Supervisor
from tests.live import wait_until
from tests.time_bounds import stretched


class Run:
    """A running `tests/project/local/supervised.py`."""

    def __init__(self, folder: Path, *, drain_seconds: str) -> None:
        self.data = DataFolder(folder / "data")
        self._output = folder / "output"
        with open(self._output, "wb") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.project.local.supervised",
                    self.data.path,
                    drain_seconds,
                ],
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        wait_until(lambda: self.output().count("| up") == 2, seconds=20, what="two processes")

    def output(self) -> str:
        return self._output.read_text()

    def pid(self, name: str) -> int | None:
        return PidFile(self.data.run, name).living()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def start(*, drain_seconds: str = "0") -> Run:
        runs.append(Run(tmp_path, drain_seconds=drain_seconds))
        return runs[-1]

    yield start
    for run in runs:
        run.process.kill()  # its reaper ends the rest
        run.process.wait()


def test_a_dead_process_is_started_again_and_its_group_cleaned(start) -> None:
    run = start()
    before = run.pid("relay")

    os.kill(before, signal.SIGKILL)

    wait_until(lambda: run.pid("relay") not in (None, before), seconds=10)
    assert "relay was ended by SIGKILL; starting it again in 0.5 s" in run.output()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_any_ending_signal_drains_and_leaves_nothing(start, number) -> None:
    run = start(drain_seconds="0.5")
    pids = [run.pid("web"), run.pid("relay")]

    run.process.send_signal(number)

    assert run.process.wait(15) == 0
    assert "web      | drained" in run.output()
    assert not any(start_of(pid) for pid in pids)
    assert [path.name for path in run.data.run.iterdir()] == ["lock"]


def test_a_second_ctrl_c_hastens(start) -> None:
    run = start(drain_seconds="600")
    run.process.send_signal(signal.SIGINT)
    wait_until(lambda: "draining" in run.output(), seconds=30)
    begin = time.monotonic()
    time.sleep(0.6)  # sooner it counts as the same key press

    run.process.send_signal(signal.SIGINT)

    assert run.process.wait(10) == 0
    assert time.monotonic() - begin < stretched(8)


def test_a_ctrl_c_that_arrives_twice_at_once_does_not_cut_the_drain(start) -> None:
    run = start(drain_seconds="2")

    run.process.send_signal(signal.SIGINT)
    wait_until(lambda: "draining" in run.output(), seconds=30)
    run.process.send_signal(signal.SIGINT)

    assert run.process.wait(15) == 0
    assert "web      | drained" in run.output()


def test_the_reaper_ends_what_a_killed_supervisor_leaves(start) -> None:
    run = start()
    pids = [run.pid("web"), run.pid("relay")]

    run.process.kill()

    wait_until(lambda: not any(start_of(pid) for pid in pids), seconds=15)
    wait_until(lambda: run.data.lock() is not None, seconds=30, what="the lock is free")


def test_who_keeps_dying_at_the_start_is_told_with_the_last_line(tmp_path: Path) -> None:
    data = DataFolder(tmp_path)
    data.create()
    script = "print('all is lost'); raise SystemExit(3)"
    service = Service("web", [sys.executable, "-c", script], is_ready=lambda: False)
    reading, writing = os.pipe()

    async def run() -> None:
        supervisor = Supervisor(data, Console(writing))

        async def start() -> None:
            supervisor.keep(service)
            await supervisor.until_ready(service)

        await supervisor.run(start)

    with pytest.raises(CannotStart, match="web doesn't start: all is lost"):
        asyncio.run(run())
    os.close(writing)
    with open(reading) as lines:
        assert "web ended with exit code 3; starting it again in 1 s" in lines.read()
