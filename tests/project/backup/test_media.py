"""The media of backups: copied once, found by name, size and stamp, and kept as long as listed."""

import os
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from project.backup.contents import path_of
from project.backup.folder import UNFINISHED, BackupFolder
from project.backup.manifest import NAME
from project.backup.media import LIST, MediaCopy, read_list, restore_media, stored_files
from tests.project.backup.made import made_backup


def copy_of(backups: Path) -> MediaCopy:
    """Return a copy that has looked once, after the last finished backup."""
    folder = BackupFolder(backups)
    folder.prepare()
    media = MediaCopy(folder.contents, known=folder.known_media())
    media.look(StringIO())
    return media


def save(name: str, content: bytes) -> None:
    assert default_storage.save(name, ContentFile(content)) == name


def stored(name: str) -> bytes:
    with default_storage.open(name) as file:
        return bytes(file.read())


def kept_contents(backups: Path) -> list[Path]:
    return list((backups / "media").glob("??/*"))


@pytest.mark.quick_in_bucket
def test_each_file_is_listed_with_its_size(storage: str) -> None:
    save("originals/2026/03/a.png", b"aaa")
    save("private/b.jpg", b"bbbb")

    found = {name: size for name, size, _stamp in stored_files()}

    assert found == {"originals/2026/03/a.png": 3, "private/b.jpg": 4}


@pytest.mark.quick_in_bucket
def test_files_come_back_under_their_names(storage: str, tmp_path: Path) -> None:
    save("originals/a.png", b"aaa")
    save("private/b.jpg", b"bbbb")
    files = copy_of(tmp_path / "backups").files
    contents = BackupFolder(tmp_path / "backups").contents
    for name in files:
        default_storage.delete(name)
    save("private/b.jpg", b"cccc")  # what a --replace finds

    assert restore_media(contents, files) == 2
    assert stored("originals/a.png") == b"aaa"
    assert stored("private/b.jpg") == b"bbbb"
    assert restore_media(contents, files) == 0


@pytest.mark.quick_in_bucket
def test_the_second_backup_reads_only_what_is_new(storage: str, tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    save("a.png", b"aaa")
    made_backup(backups)
    save("b.png", b"bbb")

    second = copy_of(backups)

    assert second.copied == 1
    assert {*second.files} == {"a.png", "b.png"}


def test_a_file_that_changed_is_read_again_and_the_old_backup_keeps_its_own(
    settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "files")
    backups = tmp_path / "backups"
    save("a.png", b"old")
    first = read_list(made_backup(backups) / LIST)
    (tmp_path / "files" / "a.png").write_bytes(b"new")
    os.utime(tmp_path / "files" / "a.png", ns=(1, 1))  # also where clocks are coarse

    second = copy_of(backups)

    assert second.copied == 1
    assert path_of(backups / "media", first["a.png"].sha256).read_bytes() == b"old"
    assert path_of(backups / "media", second.files["a.png"].sha256).read_bytes() == b"new"


def test_equal_contents_are_stored_once(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "files")
    save("a.png", b"same")
    save("b.png", b"same")

    assert {*copy_of(tmp_path / "backups").files} == {"a.png", "b.png"}
    assert len(kept_contents(tmp_path / "backups")) == 1


def test_what_is_deleted_while_the_database_is_dumped_stays_listed(
    settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "files")
    save("a.png", b"aaa")
    media = copy_of(tmp_path / "backups")
    default_storage.delete("a.png")
    save("b.png", b"bbb")

    media.look(StringIO())

    assert {*media.files} == {"a.png", "b.png"}


def test_an_interrupted_backup_is_no_backup_and_is_removed_but_not_its_work(
    settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "files")
    backups = tmp_path / "backups"
    save("a.png", b"aaa")
    finished = made_backup(backups)
    interrupted = finished.rename(backups / f"{finished.name}{UNFINISHED}")
    (interrupted / NAME).unlink()
    with (interrupted / LIST).open("a") as listed:
        listed.write('{"name": "b.png", "si')

    folder = BackupFolder(backups)
    assert folder.finished() == []
    assert folder.unfinished() == [interrupted]
    assert copy_of(backups).copied == 0
    second = made_backup(backups)
    assert (folder.finished(), folder.unfinished()) == ([second], [])


def test_only_the_newest_are_kept_with_what_they_list(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "files")
    backups = tmp_path / "backups"
    save("old.png", b"old")
    save("both.png", b"both")
    made_backup(backups)
    default_storage.delete("old.png")
    second, third = made_backup(backups), made_backup(backups)

    assert BackupFolder(backups).keep(2) == 1
    assert BackupFolder(backups).finished() == [second, third]
    assert [path.read_bytes() for path in kept_contents(backups)] == [b"both"]
    assert BackupFolder(backups).keep(2) == 0


def test_only_the_owner_may_look_into_the_folder(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "files")

    made_backup(tmp_path / "backups")

    assert (tmp_path / "backups").stat().st_mode & 0o077 == 0
