"""The processes of `bench pools`: runs one during a block, and measures memory and time."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from project.local.env import ROOT

START_SECONDS = 60.0
SAMPLE_SECONDS = 1.0
"""Each sample delays the process a little."""


@contextmanager
def running(
    argv: list[str], *, log: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process during the block; its output is in `log`."""
    with open(log, "ab") as output:
        process = subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(condition: Callable[[], object], *, seconds: float, what: str) -> None:
    """Return once `condition()` is true. Raises TimeoutError saying `what` didn't come."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.1)


class MemoryWatch:
    """Samples a process with all its descendants during the block.

    `pss_mb` (memory that two processes share counts half for each) and `rss_mb` are the maxima;
    both stay 0 on systems other than Linux.
    """

    def __init__(self, pid: int) -> None:
        self.pss_mb = self.rss_mb = 0.0
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            held = [_held(pid) for pid in _family(self._pid)]
            self.pss_mb = max(self.pss_mb, sum(pss for pss, _rss in held))
            self.rss_mb = max(self.rss_mb, sum(rss for _pss, rss in held))


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process and its descendants have used; 0 if unknown.

    Those that have ended count too: a worker replaces its processes.
    """
    ticks = 0
    for one in _family(pid):
        with suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            # utime, stime, and both of the children that it has waited for (proc_pid_stat(5)).
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def pss_megabytes(pid: int, *, children: bool = True) -> float:
    """Return what a process holds, with its descendants or alone; shared memory counts in part."""
    return sum(_held(one)[0] for one in (_family(pid) if children else (pid,)))


def _family(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):  # it has ended
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from _family(int(child))


def _held(pid: int) -> tuple[float, float]:
    """Return a process's PSS and RSS in megabytes; zeros if it has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0, 0.0
    kilobytes = {
        name: int(value.split()[0])
        for name, _colon, value in (line.partition(":") for line in text.splitlines()[1:])
    }
    return kilobytes["Pss"] / 1000, kilobytes["Rss"] / 1000


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]
