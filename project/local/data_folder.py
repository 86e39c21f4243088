"""`$TANDEM_DATA`: everything that a local run keeps, and who may use it."""

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

# Below the ephemeral range, so that no outgoing connection sits on a server's port while the
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
        """Make the folder where it is missing; raise CannotStart where it can't be used."""
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

        The lock lasts until every process that has the descriptor closed it.
        """
        descriptor = os.open(self.run / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def remember(self, name: str, make: Callable[[], Any]) -> Any:
        """Return the value kept under `name`; the first time, make it and keep it."""
        state = self._state()
        if name not in state:
            self.keep(name, make())
            return self._state()[name]
        return state[name]

    def keep(self, name: str, value: Any) -> None:
        write_private(self._state_file, json.dumps({**self._state(), name: value}, indent=1))

    def secret(self, name: str) -> str:
        """Return the secret kept under `name`, safe in a URL and in a configuration file."""
        return str(self.remember(name, lambda: secrets.token_urlsafe(32)))

    def port(self, name: str) -> int:
        """Return the loopback port kept under `name`, another one if that is taken by now."""
        port = int(self.remember(name, free_port))
        if not is_free(port):
            port = free_port()
            self.keep(name, port)
        return port

    def write_env(self, values: Mapping[str, str]) -> None:
        """Leave `values` for `project.local.env`, which other terminals read."""
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
    """Write the file as a whole or not at all (0600), also if the machine stops in between."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Can a server listen there now? Closed connections that still linger don't count."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    random = SystemRandom()
    for _ in range(1_000):
        port = random.choice(PORTS)
        if is_free(port):
            return port
    raise CannotStart(f"No free port between {PORTS.start} and {PORTS.stop}.")
