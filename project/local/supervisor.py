"""The supervisor: starts processes, prefixes their lines, restarts dead ones, stops all.

`project.local.shop` defines the processes. Each leads a session of its own, so the terminal's
Ctrl-C reaches only the supervisor, which then stops them stage by stage
(`project.local.processes`); if the supervisor itself is killed, its reaper does so.
"""

import asyncio
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event
from typing import IO, Any

from project.local.console import Console
from project.local.data_folder import DataFolder
from project.local.env import ROOT
from project.local.errors import CannotStart
from project.local.processes import PidFile, kill_group, stop_everything

READY_SECONDS = 120.0
DEATHS_AT_START = 3  # then the start has failed
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0  # seconds between a death and the next start
STEADY_SECONDS = 30.0  # after that lifetime, a process restarts with the first delay again
LONGEST_LINE = 64 * 1024  # bytes


@dataclass(frozen=True)
class Service:
    """A process to keep alive; it is ready once `is_ready` (called in a thread) says so."""

    name: str
    argv: Sequence[str]
    popen_options: Mapping[str, Any] = field(default_factory=dict)
    before_start: Callable[[], None] = lambda: None
    is_ready: Callable[[], bool] = lambda: True
    is_noise: Callable[[str], bool] = lambda line: False
    """Tells which lines of its output aren't shown."""


class Supervisor:
    """Runs services in one data folder, with pid files in its run folder.

    One thread (the event loop's) starts and reaps all processes, so a stop always sees a process
    together with its pid file.
    """

    def __init__(self, data: DataFolder, console: Console) -> None:
        self.environment: dict[str, str] = {}  # of the processes
        self._data = data
        self._console = console
        self._exits: dict[subprocess.Popen[bytes], asyncio.Future[int]] = {}
        self._keepers: set[asyncio.Task[None]] = set()
        self._deaths: dict[str, int] = {}
        self._last_line: dict[str, str] = {}
        self._stop = asyncio.Event()
        self._stop_asked_at = 0.0
        self._hurry = Event()
        self._ending = asyncio.Event()

    async def run(self, start: Callable[[], Awaitable[None]]) -> None:
        """Call `start`, wait for SIGINT, SIGTERM or SIGHUP, stop everything.

        A second Ctrl-C hastens the stop. Raises what `start` raises, after stopping everything.
        """
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGCHLD, self._reap)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._ask_to_stop, number)
        starting = asyncio.ensure_future(start())
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await stopping
        finally:
            starting.cancel()
            stopping.cancel()
            await self._end()

    def say(self, text: str) -> None:
        self._console.line("up", text)

    def keep(self, service: Service) -> None:
        """Start the service now, and again whenever it dies."""
        self._keepers.add(asyncio.create_task(self._keep(service)))

    async def until_ready(self, service: Service) -> None:
        """Wait until a kept service is ready; raise CannotStart if it keeps dying."""
        deadline = time.monotonic() + READY_SECONDS
        while not await asyncio.to_thread(service.is_ready):
            deaths = self._deaths.get(service.name, 0)
            if deaths >= DEATHS_AT_START or time.monotonic() > deadline:
                raise CannotStart(f"{service.name} doesn't start: {self._last_words(service)}")
            await asyncio.sleep(0.1)

    async def finish(self, service: Service) -> None:
        """Run the service once, to its end; raise CannotStart if it fails."""
        if await self._run_once(service) != 0:
            raise CannotStart(f"{service.name} failed: {self._last_words(service)}")

    # ── One process ─────────────────────────────────────────────────────────────────────────
    async def _keep(self, service: Service) -> None:
        delay = FIRST_DELAY
        while not self._ending.is_set():
            started = time.monotonic()
            try:
                ending = _in_words(await self._run_once(service))
            except OSError as error:  # no memory or disk space: a later start may succeed
                ending = f"could not be started ({error})"
            if self._ending.is_set():
                return
            self._deaths[service.name] = self._deaths.get(service.name, 0) + 1
            if time.monotonic() - started > STEADY_SECONDS:
                delay = FIRST_DELAY
            self.say(f"{service.name} {ending}; starting it again in {delay:g} s")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), delay)
            delay = min(delay * 2, LONGEST_DELAY)

    async def _run_once(self, service: Service) -> int:
        """Start the service, pass its lines on, return its exit code (-N for signal N)."""
        process = self._spawn(service)
        assert process.stdout is not None
        reading = asyncio.create_task(self._pass_on(service, process.stdout))
        code = await self._exits[process]
        del self._exits[process]
        # Pool processes of a killed worker would go on and keep the pipe open.
        pid_file = PidFile(self._data.run, service.name)
        await asyncio.to_thread(kill_group, pid_file, data=self._data.path)
        pid_file.remove()
        await asyncio.wait({reading}, timeout=1)
        reading.cancel()
        return code

    def _spawn(self, service: Service) -> subprocess.Popen[bytes]:
        service.before_start()
        process = subprocess.Popen(
            service.argv,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
            umask=0o077,
            # gunicorn and Celery look for the project here, whatever our working directory is;
            # PostgreSQL's account may not be able to enter it.
            **{"cwd": ROOT, **service.popen_options},
        )
        try:
            PidFile(self._data.run, service.name).write(process.pid)
        except OSError:
            process.kill()  # without a pid file no later stop would find it
            process.wait()
            raise
        self._exits[process] = asyncio.get_running_loop().create_future()
        return process

    async def _pass_on(self, service: Service, pipe: IO[bytes]) -> None:
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        rest = b""
        try:
            while chunk := await reader.read(LONGEST_LINE):
                *lines, rest = (rest + chunk).split(b"\n")
                if len(rest) > LONGEST_LINE:
                    lines, rest = [*lines, rest], b""
                for line in lines:
                    self._show(service, line)
        finally:
            if rest:
                self._show(service, rest)
            transport.close()

    def _show(self, service: Service, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()
        if text and not service.is_noise(text):
            self._last_line[service.name] = text
            self._console.line(service.name, text)

    def _last_words(self, service: Service) -> str:
        return self._last_line.get(service.name, "it said nothing")

    # ── Signals ─────────────────────────────────────────────────────────────────────────────
    def _reap(self) -> None:
        for process, exit_code in self._exits.items():
            code = process.poll()
            if code is not None and not exit_code.done():
                exit_code.set_result(code)

    def _ask_to_stop(self, number: signal.Signals) -> None:
        now = time.monotonic()
        if not self._stop.is_set():
            self._stop_asked_at = now
            self._stop.set()
            self.say("Stopping: open work is finished first. Ctrl-C again hastens it.")
        elif number == signal.SIGINT and now - self._stop_asked_at > 0.5:
            # A sooner second signal is the same Ctrl-C, passed on by a wrapper.
            self._hurry.set()

    async def _end(self) -> None:
        self._ending.set()
        # In a thread, so that this one goes on reaping and showing the last lines.
        await asyncio.to_thread(
            stop_everything, self._data.run, data=self._data.path, hurry=self._hurry
        )
        if self._keepers:
            await asyncio.wait(self._keepers, timeout=2)
        self.say("Stopped.")


def _in_words(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was ended by {signal.Signals(-code).name}"
