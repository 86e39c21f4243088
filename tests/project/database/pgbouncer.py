"""The real PgBouncer between a test and its database."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import urlsplit

import psycopg
import pytest

from project.local.data_folder import free_port
from project.local.embedded.account import server_account
from tests.live import wait_until


@contextmanager
def pgbouncer(url: str, *, mode: str, ignored: str = "") -> Iterator[str]:
    """Run one before the database at `url`; yield the URL that leads through it."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("needs PgBouncer: apt-get install pgbouncer")
    server = urlsplit(url)
    folder = Path(mkdtemp(prefix="tandem-pgbouncer-"))
    account = server_account(folder / "new")
    port = free_port()
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        "[databases]\n"
        f"shop = host={server.hostname} port={server.port} dbname={server.path.lstrip('/')}"
        f" user={server.username} password={server.password}\n"
        "[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"pool_mode = {mode}\nignore_startup_parameters = extra_float_digits,{ignored}\n"
        "max_client_conn = 300\ndefault_pool_size = 20\n"
    )
    for path in (folder, settings):
        account.give(path)
    process = subprocess.Popen(
        [program, str(settings)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **account.popen_options,
    )
    pooled = f"postgres://any:any@127.0.0.1:{port}/shop"
    try:
        wait_until(lambda: _answers(pooled), seconds=20, what="PgBouncer answers")
        yield pooled
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        shutil.rmtree(folder)


@contextmanager
def role_with_timeouts(url: str) -> Iterator[None]:
    """Give the timeouts to the role, in this database, during the block."""
    bounds = {"lock_timeout": "5s", "statement_timeout": "15s"}
    with psycopg.connect(url, autocommit=True) as session:
        of_role = f'ALTER ROLE CURRENT_USER IN DATABASE "{session.info.dbname}"'
        for name, value in bounds.items():
            session.execute(f"{of_role} SET {name} = '{value}'")
        try:
            yield
        finally:
            for name in bounds:
                session.execute(f"{of_role} RESET {name}")


def _answers(url: str) -> bool:
    try:
        # In statement mode there are no transactions.
        with psycopg.connect(url, autocommit=True, connect_timeout=2) as session:
            return session.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False
