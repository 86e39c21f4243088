"""Runs both servers during a block of code: for tests and for `run -- COMMAND`."""

import os
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from project.local import reaper
from project.local.data_folder import DataFolder
from project.local.embedded.postgres import PostgresServer
from project.local.embedded.valkey import ValkeyServer
from project.local.errors import CannotStart
from project.local.processes import PidFile, stop_everything

START_SECONDS = 60.0


@contextmanager
def running_servers(data: DataFolder, *, remove: bool = False) -> Iterator[dict[str, str]]:
    """Yield the environment for a process that uses PostgreSQL and Valkey in `data`.

    They stop with the block, or when this process is killed; their output is in NAME.log. With
    `remove` the folder is deleted at the end.
    """
    with _running(data, PostgresServer, ValkeyServer, remove=remove) as (postgres, valkey):
        values = local_values(data)
        values |= {"DATABASE_URL": postgres.url, "CELERY_BROKER_URL": valkey.url}
        data.write_env(values)
        yield values


@contextmanager
def running_postgres(data: DataFolder) -> Iterator[PostgresServer]:
    """Run only a PostgreSQL in `data`; yield it."""
    with _running(data, PostgresServer, remove=False) as (postgres,):
        assert isinstance(postgres, PostgresServer)
        yield postgres


@contextmanager
def running_valkey(data: DataFolder) -> Iterator[str]:
    """Run only a Valkey in `data`; yield its URL."""
    with _running(data, ValkeyServer, remove=False) as (valkey,):
        yield valkey.url


@contextmanager
def _running(
    data: DataFolder, *kinds: type[PostgresServer] | type[ValkeyServer], remove: bool
) -> Iterator[list[PostgresServer | ValkeyServer]]:
    data.create()
    lock = data.lock()
    if lock is None:
        raise CannotStart(f"Something already runs on {data.path}.")
    stop_everything(data.run, data=data.path)
    guard = reaper.start_reaper(data, lock=lock, remove=remove)
    processes = [guard]
    try:
        servers = [kind(data) for kind in kinds]
        for server in servers:
            server.prepare()
        processes[:0] = [_launch(data, server) for server in servers]
        for server in servers:
            _wait_for(data, server)
            server.once_ready()
        yield servers
    finally:
        stop_everything(data.run, data=data.path)
        for process in processes:
            process.communicate()
        os.close(lock)


@contextmanager
def temporary_data_folder() -> Iterator[DataFolder]:
    """Yield a new data folder that the database's account can pass through."""
    path = Path(tempfile.mkdtemp(prefix="tandem-"))
    path.chmod(0o711)
    try:
        yield DataFolder(path)
    finally:
        rmtree(path, ignore_errors=True)


def local_values(data: DataFolder) -> dict[str, str]:
    """Return the other variables that a process needs. Nothing listens at the message URLs."""
    return {
        "TANDEM_DATA": str(data.path),
        "TANDEM_LOCAL": "1",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "SITE_URL": "http://localhost:8000",
        "EMAIL_URL": "smtp://127.0.0.1:9",
        "SMS_URL": "http://127.0.0.1:9/sms",
    }


def _launch(data: DataFolder, server: PostgresServer | ValkeyServer) -> subprocess.Popen[bytes]:
    server.before_start()
    log = os.open(data.path / f"{server.name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = subprocess.Popen(
            server.argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            umask=0o077,
            **server.popen_options,
        )
    finally:
        os.close(log)
    PidFile(data.run, server.name).write(process.pid)
    return process


def _wait_for(data: DataFolder, server: PostgresServer | ValkeyServer) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not server.is_ready():
        if not PidFile(data.run, server.name).living() or time.monotonic() > deadline:
            lines = (data.path / f"{server.name}.log").read_text(errors="replace").splitlines()
            raise CannotStart(f"{server.name} doesn't start: {lines[-1] if lines else 'no output'}")
        time.sleep(0.05)
