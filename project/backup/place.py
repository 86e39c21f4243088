"""The place of all backups of a shop: a folder, or a prefix in an S3 bucket.

2026-03-01T021500Z/    a backup; it is finished once it has its manifest, which is written last
media/                 the contents of media files, for all of them
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from project.backup.contents import Contents
from project.backup.errors import BackupError
from project.backup.folder import BackupFolder, find_backup
from project.backup.manifest import Manifest
from project.backup.media import MediaFile
from project.conf.backup_place import bucket_of


class Place(Protocol):
    """A place of backups. Every method may raise BackupError or an OSError."""

    @property
    def contents(self) -> Contents:
        """Where the contents of media files are kept."""

    def prepare(self) -> None:
        """Make it ready for a backup. Raises BackupError if it can't be used."""

    def known_media(self) -> dict[str, MediaFile]:
        """Return the media files that were copied before."""

    def begin(self) -> Path:
        """Remove what was interrupted, and return a folder for the files of a new backup."""

    def finish(self, draft: Path) -> str:
        """Make a finished backup of these files, the manifest last; return its name."""

    def keep(self, count: int) -> int:
        """Remove all but the newest finished backups, and media that only those had.

        Returns the number of backups that were removed.
        """

    def manifest_of(self, name: str) -> Manifest:
        """Return the manifest of the backup with this name."""

    def files_of(self, name: str, manifest: Manifest) -> Path:
        """Return a folder with the files of the backup with this name."""

    def note(self, journal: str, lines: Iterable[str]) -> None:
        """Add lines to a journal that lies beside the backups."""

    def notes(self, journal: str) -> list[str]:
        """Return the lines of a journal; none if there is none."""

    def shown(self, words: str) -> str:
        """Return the words with the place as people gave it."""


@contextmanager
def open_place(where: str) -> Iterator[Place]:
    """Yield the place `where`, a folder or s3://BUCKET/PREFIX. Raises BackupError."""
    with _errors_about(where):
        in_bucket = bucket_of(where)
    if in_bucket is None:
        yield BackupFolder(Path(where))
        return
    from project.backup.bucket import open_bucket  # boto3: for those that use it only

    with open_bucket(*in_bucket) as bucket:
        yield bucket


@contextmanager
def open_backup(where: str) -> Iterator[tuple[Place, str]]:
    """Yield the place and the name of a backup: of the one that `where` names, or the newest there.

    Raises BackupError if there is no finished one.
    """
    with _errors_about(where):
        in_bucket = bucket_of(where)
    if in_bucket is None:
        found = find_backup(Path(where))
        yield BackupFolder(found.parent), found.name
        return
    from project.backup.bucket import find_in_bucket, open_bucket

    prefix, name = find_in_bucket(*in_bucket)
    with open_bucket(in_bucket[0], prefix) as bucket:
        yield bucket, name


@contextmanager
def _errors_about(where: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        scheme = where.partition("://")[0]
        raise BackupError(f"{scheme}://… {error}.") from None
