"""The media of a backup: each content is stored once, by its SHA-256, for all backups of a folder.

    media/<2 digits>/<SHA-256>     in the place of all backups (`contents`)
    media.jsonl                    in each backup: name, size, SHA-256 and stamp of each file

A file that the list before has with the same size and stamp isn't read again. So the next backup
reads what is new.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Protocol, cast

from django.core.files import File
from django.core.files.storage import FileSystemStorage, default_storage

from project.backup.contents import Contents
from project.backup.errors import BackupError
from project.backup.manifest import PIECE, describe

LIST = "media.jsonl"


@dataclass(frozen=True)
class MediaFile:
    """A file of the media storage."""

    name: str
    size: int
    sha256: str
    stamp: str
    """Changes with the content: a folder's time of change, a bucket's ETag."""


class ListedStorage(Protocol):
    """A storage that lists its files itself: a bucket, which has no folders to walk through."""

    def files(self) -> Iterator[tuple[str, int, str]]: ...


def stored_files() -> Iterator[tuple[str, int, str]]:
    """Give name, size in bytes and stamp of each file in the media storage."""
    if not isinstance(default_storage, FileSystemStorage):
        yield from cast("ListedStorage", default_storage).files()
        return
    root = Path(default_storage.location)
    for folder, _folders, names in os.walk(root):
        for name in sorted(names):
            path = Path(folder, name)
            try:
                found = path.stat()
            except FileNotFoundError:
                continue  # deleted meanwhile
            yield path.relative_to(root).as_posix(), found.st_size, str(found.st_mtime_ns)


class MediaCopy:
    """Copies the media to the place of all backups, and lists them in this one's."""

    def __init__(self, contents: Contents, *, known: dict[str, MediaFile]) -> None:
        self._contents = contents
        self._known = known
        """Files of earlier lists, by their names."""
        self.files: dict[str, MediaFile] = {}
        self.copied = 0

    def look(self, listed: IO[str]) -> None:
        """Copy what is new since the last look, and add it to the list.

        A file that is deleted between two looks stays listed: an older row may show it.
        """
        for name, size, stamp in stored_files():
            before = self.files.get(name)
            if before and (before.size, before.stamp) == (size, stamp):
                continue
            file = self._found(name, size, stamp) or self._copy(name, stamp)
            if file is not None:
                self.files[name] = file
                listed.write(json.dumps(asdict(file)) + "\n")
                listed.flush()

    def _found(self, name: str, size: int, stamp: str) -> MediaFile | None:
        """Return the file as an earlier list has it, if its content is here."""
        known = self._known.get(name)
        if known is None or (known.size, known.stamp) != (size, stamp):
            return None
        return known if self._contents.has(known.sha256, size) else None

    def _copy(self, name: str, stamp: str) -> MediaFile | None:
        """Copy the file; None if it was deleted meanwhile."""
        draft = self._contents.draft()
        digest, size = hashlib.sha256(), 0
        try:
            with default_storage.open(name, "rb") as source, draft.open("wb") as target:
                while piece := source.read(PIECE):
                    digest.update(piece)
                    size += len(piece)
                    target.write(piece)
                target.flush()
                os.fsync(target.fileno())
        except FileNotFoundError:
            return None
        self._contents.keep(draft, digest.hexdigest())
        self.copied += 1
        return MediaFile(name, size, digest.hexdigest(), stamp)


def read_list(path: Path) -> dict[str, MediaFile]:
    """Return the files of a list by their names; the last line of a name counts.

    The list of an interrupted backup may end within a line.
    """
    found: dict[str, MediaFile] = {}
    if not path.exists():
        return found
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                values: dict[str, Any] = json.loads(line)
            except ValueError:
                break
            found[values["name"]] = MediaFile(**values)
    return found


def remove_unlisted(contents: Contents, lists: list[Path]) -> int:
    """Remove the contents that no list has any more; return how many."""
    return contents.remove_all_but(
        {file.sha256 for path in lists for file in read_list(path).values()}
    )


def restore_media(contents: Contents, files: dict[str, MediaFile]) -> int:
    """Put the files into the media storage; return how many weren't there.

    Raises BackupError at a content that is missing or damaged.
    """
    restored = 0
    for file in files.values():
        with contents.opened(file.sha256) as path:
            try:
                whole = describe(path).sha256 == file.sha256
            except FileNotFoundError:
                whole = False
            if not whole:
                raise BackupError(
                    f"{contents.shown(file.sha256)}, the content of {file.name}, is missing or"
                    " damaged: restore it from a copy of the backups, or restore another backup."
                )
            restored += _put(file, path)
    return restored


def _put(file: MediaFile, path: Path) -> bool:
    """Save one file under its own name; False if it is there already."""
    if default_storage.exists(file.name):
        if default_storage.size(file.name) == file.size and _sha256(file.name) == file.sha256:
            return False
        default_storage.delete(file.name)
    with path.open("rb") as content:
        name = default_storage.save(file.name, File(content))
    if name != file.name:
        raise BackupError(
            f"{file.name} became {name}: something else writes to MEDIA_STORAGE. Stop the shop, and"
            " restore again with --replace."
        )
    return True


def _sha256(name: str) -> str:
    digest = hashlib.sha256()
    with default_storage.open(name, "rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()
