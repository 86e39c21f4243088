"""The embedded PostgreSQL: how it is set up, and what it gets over."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from project.local.data_folder import DataFolder
from project.local.embedded import postgres
from project.local.embedded.postgres import PostgresServer
from project.local.embedded.running import running_servers, temporary_data_folder
from project.local.errors import CannotStart
from project.local.processes import PidFile, start_of
from tests.live import wait_until

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="what root meets")


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[DataFolder, str]]:
    with temporary_data_folder() as data, running_servers(data) as values:
        yield data, values["DATABASE_URL"]


@pytest.fixture
def url(running: tuple[DataFolder, str]) -> str:
    return running[1]


def setting(url: str, name: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
        ("max_connections", "300"),
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
    ],
)
def test_it_is_durable_and_for_this_machine_only(url: str, name: str, value: str) -> None:
    assert setting(url, name) == value


def test_it_is_postgresql_18(url: str) -> None:
    assert setting(url, "server_version").startswith("18.")


def test_a_wrong_password_is_refused(url: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url, password="wrong")


def test_the_shop_is_no_superuser_but_may_make_databases(url: str) -> None:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone()

    assert row == (False, True)


def test_nobody_can_read_its_files_or_its_password(running: tuple[DataFolder, str]) -> None:
    data, url = running
    password = psycopg.conninfo.conninfo_to_dict(url)["password"]
    assert isinstance(password, str)
    command_line = Path(f"/proc/{PidFile(data.run, 'postgres').living()}/cmdline")

    assert (data.path / "postgres").stat().st_mode & 0o077 == 0
    assert not command_line.exists() or password not in command_line.read_text()


def test_what_a_cut_off_initialisation_left_is_made_anew(tmp_path: Path) -> None:
    with temporary_data_folder() as data:
        data.create()
        (data.path / "postgres.new").mkdir()
        (data.path / "postgres.new" / "PG_VERSION").write_text("18")
        (data.path / "postgres.password").write_text("left behind")

        with running_servers(data) as values:
            assert setting(values["DATABASE_URL"], "fsync") == "on"

        assert not (data.path / "postgres.new").exists()
        assert not (data.path / "postgres.password").exists()


def test_a_killed_server_starts_again_with_what_was_committed() -> None:
    with temporary_data_folder() as data:
        with running_servers(data) as values:
            with psycopg.connect(values["DATABASE_URL"]) as connection:
                connection.execute("CREATE TABLE orders AS SELECT 42 AS number")
            pid = PidFile(data.run, "postgres").living()
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not PidFile(data.run, "postgres").living(), seconds=30)
        # As after a reboot: the lock file names a process that exists but isn't PostgreSQL.
        lock_file = data.path / "postgres" / "postmaster.pid"
        lock_file.write_text(lock_file.read_text().replace(str(pid), str(os.getpid()), 1))

        with running_servers(data) as values, psycopg.connect(values["DATABASE_URL"]) as again:
            assert again.execute("SELECT number FROM orders").fetchone() == (42,)


def kill_but_for_a_frozen_child(data: DataFolder, url: str) -> int:
    """kill -9 of the server; return its child that doesn't notice."""
    with psycopg.connect(url) as connection:
        [child] = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'"
        ).fetchone() or [0]
    os.kill(child, signal.SIGSTOP)
    server = PidFile(data.run, "postgres")
    pid = server.living()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not server.living(), seconds=30)
    return child


def test_a_killed_servers_child_that_is_left_does_not_keep_it_from_starting() -> None:
    with temporary_data_folder() as data:
        with running_servers(data) as values:
            child = kill_but_for_a_frozen_child(data, values["DATABASE_URL"])
        assert start_of(child), "control: it doesn't end by itself"

        with running_servers(data) as values:
            assert not start_of(child)
            assert setting(values["DATABASE_URL"], "fsync") == "on"


def test_control_with_a_killed_servers_child_postgresql_refuses_to_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with temporary_data_folder() as data:
        with running_servers(data) as values:
            child = kill_but_for_a_frozen_child(data, values["DATABASE_URL"])
        monkeypatch.setattr(postgres, "end_orphans", lambda folder: None)
        try:
            with pytest.raises(CannotStart), running_servers(data):
                pass
        finally:
            os.kill(child, signal.SIGKILL)


def test_what_initdb_says_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    failing = tmp_path / "bin" / "initdb"
    failing.parent.mkdir()
    failing.write_text(
        "#!/bin/sh\n"
        "echo 'running bootstrap script' >&2\n"
        "echo 'initdb: error: No space left on device' >&2\n"
        "exit 1\n"
    )
    failing.chmod(0o755)
    with temporary_data_folder() as data:
        data.create()
        server = PostgresServer(data)
        monkeypatch.setattr(server, "reachable_installation", lambda: tmp_path)
        monkeypatch.setattr(type(server.account), "popen_options", {})

        with pytest.raises(CannotStart, match="its files: initdb: error: No space left on device"):
            server.prepare()

        assert sorted(path.name for path in data.path.iterdir()) == ["run", "state.json"]


@needs_root
def test_root_below_a_closed_folder_keeps_the_files_outside(tmp_path: Path) -> None:
    data = DataFolder(tmp_path / "closed" / "data")
    data.create()
    server = PostgresServer(data)
    modes = {path: path.stat().st_mode for path in [data.path, *data.path.parents]}
    try:
        server.prepare()

        assert server.home.parent == Path("/var/tmp")
        assert server.home.name.startswith("tandem-")
        assert server.home.stat().st_uid == 0
        assert server.home.stat().st_mode & 0o077 == 0o011
        assert server.folder.stat().st_mode & 0o077 == 0
        assert {path: path.stat().st_mode for path in modes} == modes
        again = PostgresServer(data)
        again.prepare()
        assert again.home == server.home
    finally:
        subprocess.run(["rm", "-rf", str(server.home)], check=True)


@needs_root
def test_root_does_not_use_a_folder_that_somebody_else_prepared(tmp_path: Path) -> None:
    data = DataFolder(tmp_path / "closed" / "data")
    data.create()
    server = PostgresServer(data)
    trap = server.home_outside()
    trap.mkdir()
    os.chown(trap, 65534, 65534)
    try:
        with pytest.raises(CannotStart, match="isn't ours"):
            server.prepare()
        assert list(trap.iterdir()) == []
    finally:
        trap.rmdir()


@needs_root
def test_the_files_of_a_data_folder_that_is_gone_are_set_aside(tmp_path: Path) -> None:
    data = DataFolder(tmp_path / "closed" / "data")
    data.create()
    server = PostgresServer(data)
    old = server.home_outside()
    old.mkdir(mode=0o711)
    (old / "precious").write_text("old orders")
    aside: list[Path] = []
    try:
        server.prepare()
        aside = list(old.parent.glob(f"{old.name}-until-*"))

        assert [(path / "precious").read_text() for path in aside] == ["old orders"]
        assert not (server.home / "precious").exists()
    finally:
        subprocess.run(["rm", "-rf", str(old), *map(str, aside)], check=True)


def test_a_command_runs_beside_servers_and_ends_as_it_ends(tmp_path: Path) -> None:
    script = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL']); raise SystemExit(7)"
    runner = [sys.executable, "-m", "project.local.embedded", "run", "--"]

    done = subprocess.run([*runner, sys.executable, "-c", script], check=False)

    assert done.returncode == 7


def test_a_killed_runner_leaves_no_server_and_no_folder() -> None:
    runner = subprocess.Popen(
        [sys.executable, "-m", "project.local.embedded", "run", "--", "/bin/sh", "-c",
         'echo "$TANDEM_DATA"; exec sleep 600'],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert runner.stdout is not None
    data = DataFolder(Path(runner.stdout.readline().strip()))
    files = [PidFile(data.run, name) for name in ("command", "postgres", "valkey")]
    try:
        wait_until(lambda: all(file.living() for file in files), seconds=30)
    finally:
        runner.kill()
        runner.communicate()

    wait_until(lambda: not data.path.exists(), seconds=30, what=f"{data.path} is gone")
