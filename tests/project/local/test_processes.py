"""Which processes live, which belong to this shop, and how all of them stop."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from project.local.processes import PidFile, belongs_to, start_of, stop_everything
from tests.live import wait_until

STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""
PARENT = """
import subprocess, sys, time
print(subprocess.Popen(["sleep", "600"]).pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def start(started, *argv: str, data: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        argv,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "TANDEM_DATA": str(data)},
        # A shell can't trap what was ignored before it began, as in a job in the background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    started.append(process)
    return process


def test_a_process_is_known_by_its_number_and_its_start(started, tmp_path: Path) -> None:
    process = start(started, "sleep", "600", data=tmp_path)

    PidFile(tmp_path, "web").write(process.pid)

    assert PidFile(tmp_path, "web").living() == process.pid


def test_a_number_that_somebody_else_has_now_is_never_signalled(started, tmp_path: Path) -> None:
    stranger = start(started, "sleep", "600", data=Path("/elsewhere"))
    (tmp_path / "web.pid").write_text(f"{stranger.pid}\n")
    (tmp_path / "web.start").write_text("another boot 4711\n")

    assert PidFile(tmp_path, "web").living() is None
    stop_everything(tmp_path, data=tmp_path)

    assert stranger.poll() is None
    assert list(tmp_path.iterdir()) == []


def test_a_zombie_is_dead(started, tmp_path: Path) -> None:
    process = start(started, "true", data=tmp_path)

    wait_until(lambda: start_of(process.pid) is None, seconds=30, what="a zombie")


def test_all_stop_in_order_the_servers_last(started, tmp_path: Path) -> None:
    log = tmp_path / "log"
    for name in ("postgres", "valkey", "web", "relay"):
        script = (
            f"trap 'echo {name} >> {log}; exit' TERM INT; echo ready; while :; do sleep 0.02; done"
        )
        process = start(started, "/bin/sh", "-c", script, data=tmp_path)
        assert process.stdout is not None
        process.stdout.readline()
        PidFile(tmp_path, name).write(process.pid)

    stop_everything(tmp_path, data=tmp_path)

    *beside_web, valkey, postgres = log.read_text().split()
    assert {*beside_web} == {"web", "relay"}
    assert (valkey, postgres) == ("valkey", "postgres")


def test_who_does_not_listen_is_killed_at_once_in_a_hurry(started, tmp_path: Path) -> None:
    process = start(started, sys.executable, "-c", STUBBORN, data=tmp_path)
    assert process.stdout is not None
    process.stdout.readline()
    PidFile(tmp_path, "web").write(process.pid)
    hurry = Event()
    hurry.set()

    stop_everything(tmp_path, data=tmp_path, hurry=hurry)

    assert process.wait(1) == -signal.SIGKILL


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_what_a_killed_process_left_in_its_group_goes_too(started, tmp_path: Path) -> None:
    parent = start(started, sys.executable, "-c", PARENT, data=tmp_path)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    PidFile(tmp_path, "media").write(parent.pid)
    parent.kill()
    parent.wait()
    assert start_of(child)

    stop_everything(tmp_path, data=tmp_path)

    wait_until(lambda: start_of(child) is None, seconds=30, what="the child's end")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_a_process_that_has_just_started_is_ours_too(started, tmp_path: Path) -> None:
    for _ in range(50):  # without the second look most of them read as "no environment" yet
        process = start(started, "sleep", "600", data=tmp_path)

        assert belongs_to(process.pid, tmp_path)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_a_group_of_another_shop_is_left_alone(started, tmp_path: Path) -> None:
    parent = start(started, sys.executable, "-c", PARENT, data=Path("/elsewhere"))
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    PidFile(tmp_path, "media").write(parent.pid)
    parent.kill()
    parent.wait()

    stop_everything(tmp_path, data=tmp_path)

    assert start_of(child)
    os.kill(child, signal.SIGKILL)
