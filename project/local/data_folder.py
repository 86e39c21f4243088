"""`$TANDEM_DATA`: the folder of a local run, with its state, secrets, ports and lock."""

import fcntl
import json
import os
import secrets
import shutil
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from random import SystemRandom
from typing import Any

from project.local.errors import CannotStart

# Below the ephemeral range, so that no outgoing connection takes a server's port while the
# server restarts.
PORTS = range(20_000, 32_000)
ENOUGH_SPACE = 300 * 1024 * 1024  # bytes: a new database, its log, some pictures


class DataFolder:
    """The folder `path` (0700 if made here), its state, its lock and its `run` folder."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.run = self.path / "run"
        self._state_file = self.path / "state.json"

    def create(self) -> None:
        """Make the folder if it is missing; raise CannotStart if it can't be used."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.run.mkdir(mode=0o700, exist_ok=True)
            probe = self.run / ".probe"
            probe.touch(mode=0o600)
            probe.unlink()
        except OSError as error:
            raise CannotStart(
                f"Cannot write to {self.path} ({error.strerror}):"
                " set TANDEM_DATA to a folder of your own."
            ) from error
        require_space(self.path)

    def lock(self) -> int | None:
        """Return the locked file's descriptor, or None while another process holds the lock.

        The lock lasts until every process with the descriptor has closed it.
        """
        descriptor = os.open(self.run / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def remember(self, name: str, make: Callable[[], Any]) -> Any:
        """Return the value stored under `name`; at the first call, make and store it."""
        state = self._state()
        if name not in state:
            self.keep(name, make())
            return self._state()[name]
        return state[name]

    def keep(self, name: str, value: Any) -> None:
        write_private(self._state_file, json.dumps({**self._state(), name: value}, indent=1))

    def secret(self, name: str) -> str:
        """Return the secret stored under `name`, safe in a URL and in a configuration file."""
        return str(self.remember(name, lambda: secrets.token_urlsafe(32)))

    def port(self, name: str) -> int:
        """Return the loopback port stored under `name`; a new one if that is taken."""
        port = int(self.remember(name, free_port))
        if not is_free(port):
            port = free_port()
            self.keep(name, port)
        return port

    def write_env(self, values: Mapping[str, str]) -> None:
        """Write `values` to the file that `project.local.env` loads in other terminals."""
        for name, value in values.items():
            if "\n" in value:
                raise CannotStart(f"{name} must be one line.")
        lines = (f"{name}={value}\n" for name, value in values.items())
        write_private(self.path / "env", "".join(lines))

    def _state(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._state_file.read_text()))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise CannotStart(
                f"{self._state_file} is damaged: restore it, or move {self.path} away."
            ) from error


def require_space(folder: Path) -> None:
    """Raise CannotStart if the disk below `folder` is too full to begin."""
    free = shutil.disk_usage(folder).free
    if free < ENOUGH_SPACE:
        raise CannotStart(
            f"The disk is full: {free // 2**20} MB are free below {folder},"
            f" {ENOUGH_SPACE // 2**20} MB are needed."
        )


def write_private(path: Path, text: str) -> None:
    """Write the file atomically (0600), even if the machine stops in between."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether a server can listen on the port; connections in TIME_WAIT don't count."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a loopback port on which no process listens."""
    random = SystemRandom()
    for _ in range(1_000):
        port = random.choice(PORTS)
        if is_free(port):
            return port
    raise CannotStart(f"No free port between {PORTS.start} and {PORTS.stop}.")
