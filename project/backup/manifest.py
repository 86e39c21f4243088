"""The manifest of a backup: what it is of and what it has. It is written last.

So a folder with a manifest is a whole backup, and one without is none.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from project.backup.errors import BackupError

NAME = "manifest.json"
FORMAT = 1
"""Of the backup's files; a later one can't be read by this version."""
PIECE = 1024 * 1024
"""Bytes that are read at a time."""


@dataclass(frozen=True)
class StoredFile:
    """A file of the backup."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a finished backup says about itself."""

    version: str
    """Tandem's, by its changelog."""
    made_at: str
    """The time of the snapshot: all that was committed before it is in the backup."""
    seconds: float
    postgresql: int
    """The server's version, as a number: 180004."""
    migrations: dict[str, list[str]]
    """The applied migrations by app: they tell a newer version from an older one."""
    rows: dict[str, int]
    """The number of rows by table; 0 where they are left out."""
    left_out: dict[str, list[str]]
    """The columns whose values are left out by table; an empty list: all rows."""
    files: dict[str, StoredFile]
    media: int
    media_bytes: int
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """Write it to the folder and the disk."""
        with (folder / NAME).open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=1)
            file.flush()
            os.fsync(file.fileno())


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of the backup in this folder. Raises BackupError."""
    try:
        found: dict[str, Any] = json.loads((folder / NAME).read_text("utf-8"))
        if found["format"] > FORMAT:
            raise BackupError(
                f"{folder} was made by a newer Tandem ({found['version']}): restore it with that"
                " version, or a later one."
            )
        files = {name: StoredFile(**each) for name, each in found.pop("files").items()}
        return Manifest(files=files, **found)
    except FileNotFoundError:
        raise BackupError(
            f"{folder} is no finished backup, for it has no {NAME}: name the folder of a backup,"
            " or the one that has all backups."
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{folder / NAME} is damaged: restore another backup.") from error


def verify_files(folder: Path, manifest: Manifest) -> None:
    """Raise BackupError unless each file of the backup is as it was written."""
    for name, stored in manifest.files.items():
        try:
            found = describe(folder / name)
        except OSError as error:
            raise BackupError(
                f"{folder / name} can't be read ({error.strerror}): restore another backup."
            ) from error
        if found != stored:
            raise BackupError(
                f"{folder / name} is damaged, for its SHA-256 isn't that of the manifest: restore"
                " another backup, or a copy of this one."
            )


def describe(path: Path) -> StoredFile:
    """Return the size and the SHA-256 of a file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            size += len(piece)
    return StoredFile(size=size, sha256=digest.hexdigest())


def version() -> str:
    """Return Tandem's version: the newest heading of the changelog."""
    for line in (settings.BASE_DIR / "CHANGELOG.md").read_text("utf-8").splitlines():
        if line.startswith("## "):
            return line.removeprefix("## ").strip()
    return ""
