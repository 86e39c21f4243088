"""The processes of a local run, by their pid files: which of them live, and how all stop.

The supervisor, its reaper and the next start end a run by the same function, from the same
files. A pid file names a process by its number and its start time, so a number that the system
has since given to another process is never signalled.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

TOTAL_SECONDS = 28.0  # for all stages together
LATER_SECONDS = 1.5  # reserved for each later stage
POLL_SECONDS = 0.05
EXEC_SECONDS = 1.0  # how long a starting process may take to show its environment


@dataclass(frozen=True)
class Stage:
    """Processes that stop together: the first signal, and the seconds until the `last` one."""

    names: tuple[str, ...]
    seconds: float
    first: signal.Signals = signal.SIGTERM
    last: signal.Signals = signal.SIGKILL


# Web, which takes orders, is drained first; the database stops last. Workers stop beside web,
# not after it: a slow drain would leave them too little time to release their jobs. The
# jobs of the last orders are rows, and wait for the next start.
STAGES = (
    Stage(("command",), 10),  # what `python -m project.local.embedded run` runs
    # gunicorn's graceful_timeout is 20; relay and workers take `shutdown.SHUTDOWN_SECONDS`,
    # and a little.
    Stage(("prepare", "demo", "web", "relay", "notify", "media", "default", "beat"), 21),
    Stage(("mailbox",), 2),
    Stage(("valkey",), 5),
    # "Fast" rolls back open transactions; "immediate" leaves the recovery to the next start.
    Stage(("postgres",), 8, first=signal.SIGINT, last=signal.SIGQUIT),
)


class PidFile:
    """`$TANDEM_DATA/run/NAME.pid`, and beside it NAME.start with the process's start time."""

    def __init__(self, run: Path, name: str) -> None:
        self.name = name
        self._path = run / f"{name}.pid"
        self._start_path = run / f"{name}.start"

    def write(self, pid: int) -> None:
        self._start_path.write_text(f"{start_of(pid)}\n")
        self._path.write_text(f"{pid}\n")

    def recorded(self) -> int | None:
        """The number in the file, even if another process has it now."""
        try:
            return int(self._path.read_text())
        except (FileNotFoundError, ValueError):
            return None

    def living(self) -> int | None:
        """The number in the file if the recorded process is still alive."""
        pid = self.recorded()
        if pid is None:
            return None
        start = start_of(pid)
        try:
            same = start is not None and start == self._start_path.read_text().strip()
        except FileNotFoundError:
            return None
        return pid if same else None

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)
        self._start_path.unlink(missing_ok=True)


def start_of(pid: int) -> str | None:
    """Return the process's start time, only to compare; None if it is gone (or a zombie)."""
    if Path("/proc/self/stat").exists():
        fields = _stat_fields(pid)
        if fields is None or fields[0] in ("Z", "X"):
            return None
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {fields[19]}"  # ticks since boot: changes of the clock don't matter
    listed = subprocess.run(  # where it lies differs by system
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    state, _, start = listed.stdout.strip().partition(" ")
    return start.strip() if start and not state.startswith("Z") else None


def stop_everything(run: Path, *, data: Path, hurry: Event | None = None) -> None:
    """Stop the processes of the pid files in `run`, stage by stage, and remove the files.

    Takes `TOTAL_SECONDS` at most, then kills; once `hurry` is set, about a second per stage.
    """
    hurry = hurry or Event()
    end = time.monotonic() + TOTAL_SECONDS
    for later, stage in zip(reversed(range(len(STAGES))), STAGES, strict=True):
        files = [PidFile(run, name) for name in stage.names]
        _signal_living(files, stage.first)
        deadline = min(time.monotonic() + stage.seconds, end - later * LATER_SECONDS)
        _wait(files, deadline=deadline, hurry=hurry)
        _signal_living(files, stage.last)
        _wait(files, deadline=time.monotonic() + 1, hurry=hurry)
        for file in files:
            kill_group(file, data=data)
            file.remove()


def kill_group(file: PidFile, *, data: Path) -> None:
    """Kill the process of this file if it lives, and the rest of its group.

    Each of our processes leads a group of its own. The system doesn't reuse its number while the
    group lives, but may once both are gone: members count as ours only if their environment names
    our data folder.
    """
    leader = file.recorded()
    if leader is None:
        return
    _signal_living([file], signal.SIGKILL)
    for pid in _group(leader):
        if belongs_to(pid, data):
            _signal(pid, signal.SIGKILL)
    _wait([file], deadline=time.monotonic() + 1, hurry=Event())


def _wait(files: list[PidFile], *, deadline: float, hurry: Event) -> None:
    while any(file.living() for file in files):
        if hurry.is_set():
            deadline = min(deadline, time.monotonic() + 1)
        if time.monotonic() >= deadline:
            return
        time.sleep(POLL_SECONDS)


def _signal_living(files: list[PidFile], number: signal.Signals) -> None:
    for file in files:
        if pid := file.living():
            _signal(pid, number)


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass  # it ended by itself


def _stat_fields(pid: int) -> list[str] | None:
    """Return /proc/PID/stat's fields from the state on: the name before may contain anything."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None


def _group(leader: int) -> Iterator[int]:
    """Return the living members of a process group, without its leader (none without /proc)."""
    for entry in Path("/proc").glob("[0-9]*"):
        fields = _stat_fields(int(entry.name))
        if fields and fields[0] not in "ZX" and int(fields[2]) == leader != int(entry.name):
            yield int(entry.name)


def belongs_to(pid: int, data: Path) -> bool:
    """Tell whether the process runs for the shop with this data folder; needs /proc."""
    return b"TANDEM_DATA=" + os.fsencode(data) in _environment(pid).split(b"\0")


def _environment(pid: int) -> bytes:
    """Return the process's initial environment; empty if it has none or can't be read.

    During exec it also reads as empty, for milliseconds on a busy machine: so an empty one is read
    again for a while.
    """
    deadline = time.monotonic() + EXEC_SECONDS
    try:
        while not (environment := Path(f"/proc/{pid}/environ").read_bytes()):
            if time.monotonic() >= deadline:
                break
            time.sleep(POLL_SECONDS)
    except OSError:
        return b""
    return environment
