"""Backups in an S3 bucket, below one prefix: the same files as in a folder, under the same names.

    2026-03-01T021500Z/manifest.json    the last object of a backup; without it there is none
    2026-03-01T021500Z/…                its other files
    media/ab/abcdef…                    the contents of media files, for all backups
    erased.txt/…                        a journal's lines, an object for each time it was written

An object is there whole or not at all, and none can be renamed. So a backup has its name from the
beginning, and its manifest is what makes it one. Its files are made in a folder of this machine
first, which must have room for the dump; media go through it one at a time.
"""

import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from django.core.files.storage import default_storage
from django.db import connection

from project import left_folders
from project.backup import manifest
from project.backup.contents import CONTENTS
from project.backup.errors import BackupError
from project.backup.folder import NAME
from project.backup.manifest import Manifest, read_manifest
from project.backup.media import LIST, MediaFile, read_list, remove_unlisted
from project.buckets import Prefix

NAMED = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z")
_TEMPORARY = "tandem-backup-"
MARGIN = 2
"""So many times as much as the last backup the next one may take."""


class BackupBucket:
    """The place of a shop's backups in a bucket, and nothing else of it."""

    def __init__(self, objects: Prefix, temporary: Path) -> None:
        self._objects = objects
        self._temporary = temporary
        self.contents = BucketContents(objects, temporary / "content")

    def prepare(self) -> None:
        """Look whether the bucket answers. Raises BackupError if it can't be used."""
        if getattr(default_storage, "bucket_name", None) == self._objects.bucket:
            raise BackupError(
                f"{self._objects.url} is in the bucket of the media, so a backup would copy the"
                " backups: name another bucket than MEDIA_STORAGE."
            )
        try:
            self._objects.folders()
        except OSError as error:
            raise _cannot_use(self._objects.url, error) from error

    def finished(self) -> list[str]:
        """Return the names of the finished backups, the oldest first."""
        return sorted(name for name in self._named() if self._is_finished(name))

    def known_media(self) -> dict[str, MediaFile]:
        """Return the media files of the newest backup.

        What an interrupted one has sent is read again, but not sent again.
        """
        return self._list_of(name) if (name := self._newest()) else {}

    def begin(self) -> Path:
        """Remove what was interrupted, and return a folder for the files of a new backup."""
        self._objects.end_interrupted_uploads()
        known = self._named()
        for name in known:
            if not self._is_finished(name):
                self._remove(name)
        self._require_room(self._expected_size())
        now = datetime.now(UTC)
        while f"{now:{NAME}}" in known:  # two within a second
            now += timedelta(seconds=1)
        folder = self._temporary / f"{now:{NAME}}"
        folder.mkdir(mode=0o700)
        return folder

    def finish(self, draft: Path) -> str:
        """Send the files of a backup, its manifest last; return its name."""
        for path in sorted(draft.iterdir()):
            if path.name != manifest.NAME:
                self._objects.send(path, f"{draft.name}/{path.name}")
        self._objects.send(draft / manifest.NAME, f"{draft.name}/{manifest.NAME}")
        return draft.name

    def keep(self, count: int) -> int:
        """Remove all but the newest finished backups, and media that only those had.

        Returns the number of backups that were removed.
        """
        finished = self.finished()
        old, kept = finished[:-count], finished[-count:]
        for name in old:
            # Without its manifest it is none any more, wherever the removal is interrupted.
            self._objects.remove([f"{name}/{manifest.NAME}"])
            self._remove(name)
        if old:
            remove_unlisted(self.contents, [self._fetched(name, LIST) for name in kept])
        return len(old)

    def manifest_of(self, name: str) -> Manifest:
        """Return the manifest of the backup with this name."""
        return read_manifest(self._fetched(name, manifest.NAME).parent)

    def files_of(self, name: str, manifest: Manifest) -> Path:
        """Download the files of a backup; return their folder."""
        self._require_room(sum(stored.size for stored in manifest.files.values()))
        for file in manifest.files:
            self._fetched(name, file)
        return self._temporary / name

    def note(self, journal: str, lines: Iterable[str]) -> None:
        """Add lines to a journal: as an object of their own, for none can be added to."""
        written = "".join(f"{line}\n" for line in lines)
        self._objects.write(f"{journal}/{datetime.now(UTC):{NAME}}-{uuid4().hex}", written)

    def notes(self, journal: str) -> list[str]:
        """Return the lines of a journal, the oldest first."""
        names = sorted(name for name, _size in self._objects.names(f"{journal}/"))
        return [line for name in names for line in self._objects.read(name).splitlines()]

    def shown(self, words: str) -> str:
        return words.replace(str(self._temporary), self._objects.url)

    def _named(self) -> list[str]:
        return [name for name in self._objects.folders() if NAMED.fullmatch(name)]

    def _newest(self) -> str:
        return next(filter(self._is_finished, sorted(self._named(), reverse=True)), "")

    def _is_finished(self, name: str) -> bool:
        return self._objects.has(f"{name}/{manifest.NAME}")

    def _remove(self, name: str) -> None:
        self._objects.remove(found for found, _size in self._objects.names(f"{name}/"))

    def _list_of(self, name: str) -> dict[str, MediaFile]:
        return read_list(self._fetched(name, LIST))

    def _fetched(self, name: str, file: str) -> Path:
        """Download a file of a backup, once; return where it is."""
        path = self._temporary / name / file
        if not path.exists():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            self._objects.fetch(f"{name}/{file}", path)
        return path

    def _expected_size(self) -> int:
        """Return how many bytes the files of a new backup may take.

        By the last backup; without one by the tables: their dump, which is compressed and has no
        index, is smaller.
        """
        if name := self._newest():
            files = self.manifest_of(name).files.values()
            return MARGIN * sum(stored.size for stored in files)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT coalesce(sum(pg_table_size(oid)), 0)::bigint FROM pg_class"
                " WHERE relkind IN ('r', 'm') AND relnamespace = current_schema()::regnamespace"
            )
            size: int = cursor.fetchone()[0]
        return size

    def _require_room(self, size: int) -> None:
        """Raise BackupError unless so many bytes are free where the files are put meanwhile."""
        free = shutil.disk_usage(self._temporary).free
        if free < size:
            raise BackupError(
                f"{self._temporary.parent} has {free / 1e6:.0f} MB free, and the files of the"
                f" backup may take {size / 1e6:.0f} MB there on their way: free some, or name"
                " another folder in TMPDIR."
            )


class BucketContents:
    """Contents in a bucket; `draft` is the file through which each of them goes."""

    def __init__(self, objects: Prefix, draft: Path) -> None:
        self._objects = objects
        self._draft = draft
        self._sizes: dict[str, int] | None = None
        """Bytes by SHA-256: a request for each file would take minutes."""

    def draft(self) -> Path:
        return self._draft

    def keep(self, draft: Path, sha256: str) -> None:
        size = draft.stat().st_size
        if not self.has(sha256, size):
            self._objects.send(draft, name_of(sha256))
            self._known()[sha256] = size
        draft.unlink()

    def has(self, sha256: str, size: int) -> bool:
        return self._known().get(sha256) == size

    @contextmanager
    def opened(self, sha256: str) -> Iterator[Path]:
        self._draft.unlink(missing_ok=True)
        try:
            self._objects.fetch(name_of(sha256), self._draft)
        except FileNotFoundError:
            pass  # the file isn't there either
        yield self._draft
        self._draft.unlink(missing_ok=True)

    def shown(self, sha256: str) -> str:
        return f"{self._objects.url}/{name_of(sha256)}"

    def remove_all_but(self, kept: set[str]) -> int:
        old = [sha256 for sha256 in self._known() if sha256 not in kept]
        self._objects.remove(map(name_of, old))
        for sha256 in old:
            del self._known()[sha256]
        return len(old)

    def _known(self) -> dict[str, int]:
        if self._sizes is None:
            self._sizes = {
                name.rpartition("/")[2]: size for name, size in self._objects.names(f"{CONTENTS}/")
            }
        return self._sizes


def name_of(sha256: str) -> str:
    """Return the name of the object with this content."""
    return f"{CONTENTS}/{sha256[:2]}/{sha256}"


@contextmanager
def open_bucket(bucket: str, prefix: str) -> Iterator[BackupBucket]:
    """Yield the place in a bucket, with a temporary folder for the length of the block."""
    try:
        objects = Prefix(bucket, prefix)
    except OSError as error:
        raise _cannot_use(f"s3://{bucket}/{prefix}", error) from error
    temporary = left_folders.make(_TEMPORARY, Path(tempfile.gettempdir()))
    try:
        yield BackupBucket(objects, temporary)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def find_in_bucket(bucket: str, prefix: str) -> tuple[str, str]:
    """Return the prefix of all backups, and the name of the one that this prefix names.

    Or of the newest finished one there. Raises BackupError.
    """
    parent, _slash, last = prefix.rpartition("/")
    chosen = last if NAMED.fullmatch(last) else ""
    place = parent if chosen else prefix
    try:
        with open_bucket(bucket, place) as found:
            finished = found.finished()
    except OSError as error:
        raise _cannot_use(f"s3://{bucket}/{place}", error) from error
    if not finished:
        raise BackupError(
            f"s3://{bucket}/{place} has no finished backup: name the prefix that has all backups,"
            " or that of one."
        )
    if chosen and chosen not in finished:
        raise BackupError(
            f"s3://{bucket}/{prefix} is no finished backup, for it has no {manifest.NAME}: restore"
            f" another one, such as {finished[-1]}."
        )
    return place, chosen or finished[-1]


def _cannot_use(url: str, error: OSError) -> BackupError:
    return BackupError(
        f"Cannot use {url} ({error}): look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION,"
        " and at AWS_ENDPOINT_URL_S3 if it isn't Amazon's."
    )
