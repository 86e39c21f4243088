"""The data folder of a local run: its state, ports, lock and the file for other terminals."""

import shutil
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from project.local.data_folder import DataFolder, free_port, is_free, write_private
from project.local.errors import CannotStart


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    return folder


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_others_can_read_neither_folders_nor_files(data: DataFolder) -> None:
    data.secret("password")
    data.write_env({"SECRET_KEY": "x"})

    assert mode(data.path) == mode(data.run) == 0o700
    assert mode(data.path / "env") == mode(data.path / "state.json") == 0o600


def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    DataFolder(tmp_path).create()

    assert mode(tmp_path) == 0o755


def test_secrets_and_ports_last_longer_than_a_run(data: DataFolder) -> None:
    secret, port = data.secret("password"), data.port("server")

    again = DataFolder(data.path)

    assert (again.secret("password"), again.port("server")) == (secret, port)


def test_a_port_that_was_taken_meanwhile_is_replaced_for_good(data: DataFolder) -> None:
    before = data.port("server")
    with socket.create_server(("127.0.0.1", before)):
        chosen = data.port("server")

    assert chosen != before
    assert data.port("server") == chosen


def test_a_port_is_free_until_somebody_listens() -> None:
    port = free_port()
    assert is_free(port)

    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)


def test_only_one_run_holds_the_lock(data: DataFolder) -> None:
    assert data.lock() is not None
    assert DataFolder(data.path).lock() is None


def test_a_value_of_two_lines_cannot_smuggle_a_variable(data: DataFolder) -> None:
    with pytest.raises(CannotStart, match="SITE_URL must be one line"):
        data.write_env({"SITE_URL": "http://x\nDEBUG=1"})


def test_a_file_in_the_way_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    with pytest.raises(CannotStart, match="set TANDEM_DATA to a folder of your own"):
        DataFolder(tmp_path / "data").create()


def test_a_full_disk_is_told_before_anything_is_half_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=5 * 2**20))

    with pytest.raises(CannotStart, match="The disk is full: 5 MB are free"):
        DataFolder(tmp_path / "data").create()


def test_damaged_state_is_told_and_kept(data: DataFolder) -> None:
    (data.path / "state.json").write_text('{"postgres_pass')

    with pytest.raises(CannotStart, match="damaged"):
        data.secret("postgres_password")
    assert (data.path / "state.json").read_text() == '{"postgres_pass'


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_private(tmp_path / "env", "old")
    monkeypatch.setattr("os.fsync", lambda descriptor: (_ for _ in ()).throw(OSError(28, "full")))

    with pytest.raises(OSError, match="full"):
        write_private(tmp_path / "env", "new")
    assert (tmp_path / "env").read_text() == "old"
