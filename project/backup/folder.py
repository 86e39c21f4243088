"""The folder of all backups: which are finished, which one was interrupted, which are too old.

2026-03-01T021500Z/              a finished backup: it has a manifest
2026-03-02T021500Z.unfinished/   one that is being made, or was interrupted
media/                           the contents of media files, for all of them
"""

import os
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

from project.backup import manifest
from project.backup.contents import CONTENTS, FolderContents
from project.backup.errors import BackupError
from project.backup.manifest import Manifest, read_manifest
from project.backup.media import LIST, MediaFile, read_list, remove_unlisted

UNFINISHED = ".unfinished"
NAME = "%Y-%m-%dT%H%M%SZ"


class BackupFolder:
    """A folder with the backups of one shop, and nothing else of it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.contents = FolderContents(self.path / CONTENTS)

    def prepare(self) -> None:
        """Make the folder if it is missing. Raises BackupError if it can't be used."""
        media = Path(settings.MEDIA_ROOT).resolve() if settings.MEDIA_ROOT else None
        if media and (self.path.resolve() == media or media in self.path.resolve().parents):
            raise BackupError(
                f"{self.path} is in the media folder, so a backup would copy the backups: name a"
                " folder outside MEDIA_STORAGE, better on another disk."
            )
        try:
            # It has names, addresses and purchases: for its owner alone.
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.contents.path.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise BackupError(
                f"Cannot write to {self.path} ({error.strerror}): name a folder that this user may"
                " write to."
            ) from error

    def finished(self) -> list[Path]:
        """Return the finished backups, the oldest first."""
        found = [path.parent for path in self.path.glob(f"*/{manifest.NAME}")]
        return sorted(path for path in found if path.suffix != UNFINISHED)

    def unfinished(self) -> list[Path]:
        """Return the backups that were interrupted: nothing else makes one while this asks."""
        return sorted(self.path.glob(f"*{UNFINISHED}"))

    def known_media(self) -> dict[str, MediaFile]:
        """Return the media files that were copied before, also by an interrupted backup."""
        known: dict[str, MediaFile] = {}
        for folder in [*self.finished()[-1:], *self.unfinished()]:
            known |= read_list(folder / LIST)
        return known

    def begin(self) -> Path:
        """Remove what was interrupted, and return the folder of a new backup."""
        for folder in self.unfinished():
            shutil.rmtree(folder)
        now = datetime.now(UTC)
        while (self.path / f"{now:{NAME}}").exists():  # two within a second
            now += timedelta(seconds=1)
        folder = self.path / f"{now:{NAME}}{UNFINISHED}"
        folder.mkdir(mode=0o700)
        return folder

    def finish(self, draft: Path) -> str:
        """Give a backup that has its manifest the name of a finished one, and return that."""
        finished = draft.with_suffix("")
        draft.rename(finished)
        descriptor = os.open(self.path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        return finished.name

    def keep(self, count: int) -> int:
        """Remove all but the newest finished backups, and media that only those had.

        Returns the number of backups that were removed.
        """
        old = self.finished()[:-count]
        for folder in old:
            # Without its manifest it is none any more, wherever the removal is interrupted.
            (folder / manifest.NAME).unlink()
            folder = folder.rename(folder.with_name(f"{folder.name}{UNFINISHED}"))
            shutil.rmtree(folder)
        if old:
            remove_unlisted(self.contents, [folder / LIST for folder in self.finished()])
        return len(old)

    def manifest_of(self, name: str) -> Manifest:
        return read_manifest(self.path / name)

    def files_of(self, name: str, manifest: Manifest) -> Path:
        """Return the folder of a backup."""
        return self.path / name

    def note(self, journal: str, lines: Iterable[str]) -> None:
        """Add lines to a journal beside the backups, in a folder that is made if it is missing."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.path / journal
        path.touch(mode=0o600, exist_ok=True)
        with path.open("a+b") as file:
            # Behind a line that a crash cut off, and on the disk before what it tells is done.
            file.seek(max(0, file.tell() - 1))
            start = "" if file.read() in (b"", b"\n") else "\n"
            file.write((start + "".join(f"{line}\n" for line in lines)).encode())
            file.flush()
            os.fsync(file.fileno())

    def notes(self, journal: str) -> list[str]:
        """Return the lines of a journal; a crash may have cut one off."""
        path = self.path / journal
        return path.read_text().splitlines() if path.exists() else []

    def shown(self, words: str) -> str:
        return words


def find_backup(path: Path) -> Path:
    """Return this backup, or the newest finished one in this folder. Raises BackupError."""
    if path.suffix == UNFINISHED:
        raise BackupError(
            f"{path} was interrupted and isn't whole: restore a finished backup of {path.parent}."
        )
    if (path / manifest.NAME).exists():
        return path.absolute()
    if not path.is_dir():
        raise BackupError(f"There is no folder {path}: name the folder of a backup.")
    finished = BackupFolder(path).finished()
    if not finished:
        raise BackupError(
            f"{path} has no finished backup: name the folder of a backup, or the one that has all"
            " backups."
        )
    return finished[-1]
