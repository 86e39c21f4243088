"""What can't be backed up or restored is refused before anything changes, with what to do."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from project.backup import programs as program_module
from project.backup.contents import path_of
from project.backup.errors import BackupError
from project.backup.folder import UNFINISHED, BackupFolder, find_backup
from project.backup.manifest import NAME, Manifest, read_manifest, verify_files
from project.backup.media import LIST, read_list, restore_media
from project.backup.programs import programs
from project.backup.restore import refuse_filled, refuse_newer, refuse_running
from project.backup.run import LOCK, make_backup, make_scheduled_backup
from project.backup.snapshot import DUMP
from project.database.advisory_lock import try_lock
from tests.database import this_database
from tests.project.backup.made import made_backup

real_database = pytest.mark.django_db(
    transaction=True, databases=["default", "writer"], available_apps=["project"]
)


@pytest.fixture(autouse=True)
def _media_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "a.png").write_bytes(b"a picture")


@pytest.mark.django_db
def test_a_database_that_is_not_empty() -> None:
    with pytest.raises(BackupError, match=r"isn't empty.*--replace drops all"):
        refuse_filled()


@real_database
def test_an_empty_database_is_taken() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA nothing")
        try:
            cursor.execute("SET search_path = nothing")
            refuse_filled()
        finally:
            cursor.execute("RESET search_path; DROP SCHEMA nothing")


@real_database
def test_a_shop_that_still_runs() -> None:
    refuse_running()
    with (
        psycopg.connect(this_database()),
        pytest.raises(BackupError, match=r"1 other sessions.*stop web, relay, workers, beat"),
    ):
        refuse_running()


@real_database
def test_two_at_a_time(tmp_path: Path) -> None:
    with psycopg.connect(this_database(), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(hashtext(%s))", [LOCK])
        with pytest.raises(BackupError, match="Another backup is being made: wait"):
            make_backup(tmp_path / "backups")
    with try_lock(LOCK, using="writer") as alone:
        assert alone


def test_a_backup_of_a_newer_version(tmp_path: Path) -> None:
    newer = {"orders": ["0001_initial", "9999_of_tomorrow"]}
    found = made_backup(tmp_path / "backups", version="9.0.0", migrations=newer)

    with pytest.raises(BackupError, match=r"\(9.0.0\) with 1 migrations.*orders.9999_of_tomorrow"):
        refuse_newer(read_manifest(found))


def test_a_backup_of_this_version_or_an_older_one_is_taken(tmp_path: Path) -> None:
    found = made_backup(tmp_path / "backups", migrations={"orders": ["0001_initial"]})

    refuse_newer(read_manifest(found))


def test_files_of_a_newer_format(tmp_path: Path) -> None:
    found = made_backup(tmp_path / "backups")
    manifest = json.loads((found / NAME).read_text())
    (found / NAME).write_text(json.dumps({**manifest, "format": 2}))

    with pytest.raises(BackupError, match="made by a newer Tandem"):
        read_manifest(found)


def test_a_damaged_manifest(tmp_path: Path) -> None:
    found = made_backup(tmp_path / "backups")
    (found / NAME).write_text('{"format": 1')

    with pytest.raises(BackupError, match="is damaged: restore another backup"):
        read_manifest(found)


def test_a_damaged_dump(tmp_path: Path) -> None:
    found = made_backup(tmp_path / "backups")
    manifest = read_manifest(found)
    verify_files(found, manifest)
    (found / DUMP).write_bytes(b"no dumP")

    with pytest.raises(BackupError, match=rf"{DUMP} is damaged.*SHA-256.*another backup"):
        verify_files(found, manifest)


def test_a_dump_that_is_gone(tmp_path: Path) -> None:
    found = made_backup(tmp_path / "backups")
    (found / DUMP).unlink()

    with pytest.raises(BackupError, match=rf"{DUMP} can't be read.*another backup"):
        verify_files(found, read_manifest(found))


@pytest.mark.parametrize("content", [None, b"another one"])
def test_a_picture_that_is_missing_or_damaged(tmp_path: Path, content: bytes | None) -> None:
    found = made_backup(tmp_path / "backups")
    files = read_list(found / LIST)
    path = path_of(tmp_path / "backups" / "media", files["a.png"].sha256)
    path.unlink()
    if content:
        path.write_bytes(content)

    with pytest.raises(BackupError, match=r"content of a\.png, is missing or damaged: restore"):
        restore_media(BackupFolder(tmp_path / "backups").contents, files)


def test_the_newest_finished_backup_of_a_folder_is_found(tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    first, second = made_backup(backups), made_backup(backups)
    (backups / f"9999{UNFINISHED}").mkdir()

    assert find_backup(backups) == second
    assert find_backup(first) == first


def test_what_is_no_backup(tmp_path: Path) -> None:
    (tmp_path / f"2026{UNFINISHED}").mkdir()

    with pytest.raises(BackupError, match="was interrupted and isn't whole: restore a finished"):
        find_backup(tmp_path / f"2026{UNFINISHED}")
    with pytest.raises(BackupError, match="no finished backup: name the folder"):
        find_backup(tmp_path)
    with pytest.raises(BackupError, match="There is no folder"):
        find_backup(tmp_path / "nowhere")
    with pytest.raises(BackupError, match=r"no manifest\.json: name the folder"):
        read_manifest(tmp_path)


def test_a_folder_in_the_media_folder(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"in the media folder.*outside MEDIA_STORAGE"):
        BackupFolder(tmp_path / "media" / "backups").prepare()


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(BackupError, match=r"Cannot write to .*: name a folder"):
        BackupFolder(tmp_path / "file" / "backups").prepare()


def test_a_task_without_its_folder(settings: Any) -> None:
    settings.BACKUP_FOLDER = ""

    with pytest.raises(BackupError, match="BACKUP_FOLDER is empty: name a folder"):
        make_scheduled_backup()


def fake_programs(folder: Path, version: int) -> Path:
    folder.mkdir()
    for name in program_module.NAMES:
        (folder / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}.2 (Debian)'\n")
        (folder / name).chmod(0o755)
    return folder


def test_programs_that_are_older_than_their_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{fake_programs(tmp_path / 'old', 15)}{os.pathsep}/bin")
    monkeypatch.setattr(program_module, "find_spec", lambda name: None)

    with pytest.raises(BackupError, match=r"PostgreSQL 17, and pg_dump 15 is too old: install.*17"):
        programs(host="db", port=5432, server=170_002)


def test_no_programs_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(program_module, "find_spec", lambda name: None)

    with pytest.raises(BackupError, match=r"there is no pg_dump: install.* 17 "):
        programs(host="db", port=5432, server=170_002)


def test_the_programs_nearest_to_the_server_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, near, new = (fake_programs(tmp_path / str(major), major) for major in (14, 16, 18))
    monkeypatch.setattr(program_module, "_folders", lambda: iter([new, old, near]))

    assert programs(host="db", port=5432, server=160_001).folder == near


def test_the_password_is_in_no_argument(settings: Any) -> None:
    found = programs(host="db", port=5432, server=140_000)
    password = str(connection.settings_dict["PASSWORD"])

    assert password
    assert password not in found.address
    assert found.environment["PGPASSWORD"] == password


def test_the_commands_say_it_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no folder"):
        call_command("restore", str(tmp_path / "nowhere"))


@real_database
def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path))

    monkeypatch.setattr(Manifest, "write", fail)

    with pytest.raises(BackupError, match=r"No space left on device.*removed by the next backup"):
        make_backup(tmp_path / "backups")
    assert len(BackupFolder(tmp_path / "backups").unfinished()) == 1
