"""A whole running shop for tests: gunicorn, relay, workers and servers, as `bin/up` starts them.

    from tests.live import LiveShop

    @pytest.mark.live
    @pytest.mark.xdist_group("live")
    def test_the_shop_answers(live_shop: LiveShop) -> None:
        assert httpx.get(f"{live_shop.url}/healthz").status_code == 200

The fixture `live_shop` (tests/conftest.py) is one shop for the whole session, filled with the
demo; tests that stop processes or need a clean shop start their own, with a copy of a filled
folder: `with LiveShop(copy_of=filled_data) as shop:`. Without `copy_of` its folder is empty, and
the start takes half a minute longer.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from types import TracebackType
from typing import Self

import httpx

from project.local.data_folder import DataFolder, free_port
from project.local.env import ROOT, SETTING_NAMES
from project.local.processes import PidFile

START_SECONDS = 120.0
STOP_SECONDS = 40.0


def wait_until(condition: Callable[[], object], *, seconds: float, what: str = "") -> None:
    """Return once `condition()` is true; fail with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what or condition}"
        time.sleep(0.05)


class LiveShop:
    """A shop with a data folder, servers and port of its own.

    - `url`: "http://localhost:PORT", without a slash at the end.
    - `data`: its data folder; `run`: the folder of its pid files.
    - `env`: the environment for any process that should use this shop (DATABASE_URL,
      CELERY_BROKER_URL, SECRET_KEY, ...), as `$TANDEM_DATA/env` has it.
    - `pid(name)`: the living process called web, relay, notify, media, default, beat, mailbox,
      postgres, valkey or up; fails if there is none. `wait_for_pid(name, other_than=...)`.
    - `manage(*args)`: run a `manage.py` command to its end, return what it printed; fails if it
      fails, unless `check=False`.
    - `kill(name, signal)`: signal one process. The supervisor starts a dead one again.
    - `start()`, `stop()`: also by `with`. `stop` sends SIGTERM and returns the exit code.
    - `output()`: everything that the supervisor printed so far.

    `environment` adds variables, or takes servers as given (`CELERY_BROKER_URL=...`). `copy_of` is
    the data folder of a stopped shop, whose database, media and secrets this one begins with.
    """

    def __init__(
        self,
        *,
        data: Path | None = None,
        copy_of: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = Path(mkdtemp(prefix="tandem-live-"))
        self._folder.chmod(0o711)  # so that PostgreSQL's account can pass through
        self.data = data or self._folder / "data"
        if copy_of:
            # Not by shutil, for the database's files belong to PostgreSQL's account.
            subprocess.run(["cp", "-a", str(copy_of), str(self.data)], check=True)
        self.run = self.data / "run"
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.supervisor: subprocess.Popen[bytes] | None = None
        self._environment = {
            **{name: value for name, value in os.environ.items() if name not in SETTING_NAMES},
            "TANDEM_DATA": str(self.data),
            "PORT": str(self.port),
            # Its shoppers all come from one address; tests of the limits switch them on.
            "ORDER_LIMITS": "off",
            "SMS_DAILY_CAP": "off",
            **(environment or {}),
        }
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self, *, ready: bool = True) -> None:
        """Start the shop; return when /readyz answers 200 (at once if not `ready`)."""
        if not self.data.exists():
            self.data.mkdir()
            self.data.chmod(0o711)  # else, as root, the database goes to /var/tmp
        with open(self._folder / "output", "ab") as output:
            self.supervisor = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "up"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        # If pytest is killed, nobody else stops the shop.
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", 'read line || kill "$0"', str(self.supervisor.pid)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        if ready:
            self.wait_until_ready()

    def wait_until_ready(self, *, seconds: float = START_SECONDS) -> None:
        wait_until(self._is_ready, seconds=seconds, what=f"ready\n{self.output()[-4000:]}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the supervisor a signal, wait for its end, return its exit code.

        A shop that has stopped already stays so.
        """
        assert self.supervisor is not None
        assert self._guard is not None
        if self._guard.returncode is None:
            self._guard.communicate(b"never mind\n")
        if self.supervisor.poll() is None:
            self.supervisor.send_signal(number)
        return self.supervisor.wait(STOP_SECONDS)

    @property
    def runs(self) -> bool:
        return self.supervisor is not None and self.supervisor.poll() is None

    @property
    def env(self) -> dict[str, str]:
        lines = (self.data / "env").read_text().splitlines()
        written = {name: value for name, _, value in (line.partition("=") for line in lines)}
        return {**self._environment, **written}

    def pid(self, name: str) -> int:
        pid = PidFile(self.run, name).living()
        assert pid is not None, f"{name} doesn't run"
        return pid

    def wait_for_pid(self, name: str, *, other_than: int = 0, seconds: float = 30) -> int:
        """Return the process's number once it lives, and isn't the one that was there before."""
        file = PidFile(self.run, name)
        wait_until(lambda: file.living() not in (None, other_than), seconds=seconds, what=name)
        return self.pid(name)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        os.kill(self.pid(name), number)

    def manage(self, *args: str, check: bool = True, seconds: float = 120) -> str:
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *args],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == 0 or not check, done.stdout
        return done.stdout

    def output(self) -> str:
        return (self._folder / "output").read_text(errors="replace")

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        # The reaper reads the pid files until all have stopped.
        wait_until(lambda: not self.run.exists() or DataFolder(self.data).lock(), seconds=40)
        rmtree(self._folder, ignore_errors=True)

    def _is_ready(self) -> bool:
        assert self.supervisor is not None
        assert self.supervisor.poll() is None, self.output()[-4000:]
        if PidFile(self.run, "up").living() != self.supervisor.pid:
            return False  # what answers would be a killed run's web, not yet cleaned up
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False
