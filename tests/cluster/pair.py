"""Two PostgreSQL servers, of which the second follows the first: a shop's database that fails over.

They are the embedded server's binaries, on loopback ports of their own. Whoever watches over them
in production (Patroni and the like) is played by the test: it promotes and demotes.
"""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

from project.local.data_folder import DataFolder, free_port
from project.local.embedded.postgres import (
    DATABASE,
    ROLE,
    SUPERUSER,
    PostgresServer,
    end_orphans,
)
from tests.live import wait_until

FOLLOWER = "follower"
"""The second server's name among those that a commit waits for."""


class Server:
    """One of the two."""

    def __init__(self, folder: Path, base: PostgresServer, *, port: int) -> None:
        self.folder = folder
        self.port = port
        self._base = base
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        argv = [self._base.argv[0], "-D", str(self.folder)]
        options = (one for one in self._base.argv[3:] if not one.startswith("--port="))
        with open(self.folder.parent / f"{self.folder.name}.log", "ab") as log:
            self._process = subprocess.Popen(
                [*argv, f"--port={self.port}", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._base.popen_options,
            )
        wait_until(self.answers, seconds=60, what=f"{self.folder.name} answers")

    def kill(self) -> None:
        """kill -9, as a machine that loses its power: nothing of it answers any more."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        end_orphans(self.folder)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)

    def answers(self) -> bool:
        try:
            self.session().close()
        except psycopg.OperationalError:
            return False
        return True

    def session(self, **options: Any) -> psycopg.Connection[Any]:
        """Connect as the superuser."""
        where: dict[str, Any] = {"host": "127.0.0.1", "port": self.port, "dbname": "postgres"}
        account = {"user": SUPERUSER, "password": self._base._password}
        return psycopg.connect(**(where | account | options), autocommit=True)

    def one(self, statement: str) -> Any:
        """Run a statement, return its first value."""
        with self.session() as session:
            row = session.execute(statement).fetchone()
        return row[0] if row else None

    def set(self, name: str, value: str) -> None:
        """Change a setting of the running server."""
        with self.session() as session:
            session.execute(
                sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value))
            )
            session.execute("SELECT pg_reload_conf()")
        wait_until(lambda: self.one(f"SHOW {name}") == value, seconds=10, what=f"{name} is {value}")


class Pair:
    """`first` takes writes, `second` follows; `url` names both, as a shop is given them.

    With `synchronous` a commit waits until the second has it on its disk.
    """

    def __init__(self, *, synchronous: bool = True) -> None:
        self._folder = Path(mkdtemp(prefix="tandem-pair-"))
        self._folder.chmod(0o711)  # so that PostgreSQL's account can pass through
        data = DataFolder(self._folder / "base")
        data.create()
        data.path.chmod(0o711)
        self._base = PostgresServer(data)
        self._synchronous = synchronous
        self.first = self.second = self._server("first")

    def _server(self, name: str) -> Server:
        return Server(self._folder / name, self._base, port=free_port())

    @property
    def url(self) -> str:
        where = f"127.0.0.1:{self.first.port},127.0.0.1:{self.second.port}"
        account = f"{ROLE}:{self._base._password}"
        return f"postgres://{account}@{where}/{DATABASE}?target_session_attrs=read-write"

    def promote(self) -> None:
        """Let the second take writes."""
        assert self.second.one("SELECT pg_promote(true, 60)")

    def __enter__(self) -> Self:
        self._base.prepare()
        self._base.folder.rename(self.first.folder)
        self._base.port = self.first.port
        self.first.start()
        self._base.once_ready()
        self.second = self._server("second")
        self._copy()
        self.second.start()
        if self._synchronous:
            self.first.set("synchronous_standby_names", FOLLOWER)
        wanted = "sync" if self._synchronous else "async"
        wait_until(
            lambda: self.first.one("SELECT sync_state FROM pg_stat_replication") == wanted,
            seconds=30,
            what=f"the second server follows ({wanted})",
        )
        return self

    def _copy(self) -> None:
        """Copy the first server's files, with what the second needs to follow it."""
        second = self.second.folder
        second.mkdir(mode=0o700)
        self._base.account.give(second)
        source = f"host=127.0.0.1 port={self.first.port} user={SUPERUSER}"
        subprocess.run(
            [
                str(Path(self._base.argv[0]).with_name("pg_basebackup")),
                *("-D", str(second), "-d", f"{source} application_name={FOLLOWER}"),
                *("--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast"),
            ],
            check=True,
            env={"PATH": os.environ["PATH"], "PGPASSWORD": self._base._password},
            **self._base.popen_options,
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for server in (self.second, self.first):
            server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
