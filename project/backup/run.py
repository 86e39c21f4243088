"""One backup, from the first look at the media to the manifest."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings

from project.backup.errors import BackupError
from project.backup.manifest import Manifest, describe, version
from project.backup.media import LIST, MediaCopy
from project.backup.place import Place, open_place
from project.backup.rules import rules
from project.backup.snapshot import COPIED, DUMP, open_snapshot
from project.database.advisory_lock import try_lock

LOCK = "backup"
"""Who holds this advisory lock, on the connection `writer`, makes a backup or restores one."""


def make_scheduled_backup() -> dict[str, Any]:
    """Make a backup as the settings say; return its figures. Raises BackupError."""
    if not settings.BACKUP_FOLDER:
        raise BackupError("BACKUP_FOLDER is empty: name a folder, and start the workers again.")
    return make_backup(settings.BACKUP_FOLDER, keep=settings.BACKUP_KEEP)


def _say_nothing(text: str) -> None:
    pass


def make_backup(
    where: str | Path, *, keep: int | None = None, say: Callable[[str], object] = _say_nothing
) -> dict[str, Any]:
    """Make a backup in the place of all backups, a folder or s3://BUCKET/PREFIX.

    Returns its figures as small JSON. The shop goes on. `keep`: then remove all but so many; None:
    remove none. Raises BackupError.
    """
    with try_lock(LOCK, using="writer") as alone, open_place(str(where)) as place:
        if not alone:
            raise BackupError("Another backup is being made: wait for its end.")
        place.prepare()
        try:
            figures = _make(place, say)
            removed = place.keep(keep) if keep is not None else 0
        except OSError as error:
            raise BackupError(
                f"{error.strerror or error}: {place.shown(str(error.filename or where))}. What was"
                " interrupted is removed by the next backup."
            ) from error
        except psycopg.Error as error:
            raise BackupError(
                f"The database can't be read: {str(error).strip()}. What was interrupted is"
                " removed by the next backup."
            ) from error
    return {**figures, "removed": removed}


def _make(place: Place, say: Callable[[str], object]) -> dict[str, Any]:
    began = time.monotonic()
    media = MediaCopy(place.contents, known=place.known_media())
    draft = place.begin()
    with (draft / LIST).open("w", encoding="utf-8") as listed:
        # Most files, before the snapshot: what is deleted while it is open was copied before.
        say("Copying the media …")
        media.look(listed)
        say("Dumping the database …")
        with open_snapshot(rules()) as snapshot:
            snapshot.dump(draft)
            rows, migrations = snapshot.count_rows(), snapshot.migrations()
            server, made_at, left_out = snapshot.server, snapshot.made_at, snapshot.rules
        # And what the last rows of the snapshot show.
        media.look(listed)
        os.fsync(listed.fileno())
    files = {DUMP, LIST, *(path.name for path in draft.glob(f"*{COPIED}"))}
    seconds = round(time.monotonic() - began, 1)
    Manifest(
        version=version(),
        made_at=made_at,
        seconds=seconds,
        postgresql=server,
        migrations=migrations,
        rows=rows,
        left_out={table: [] for table in sorted(left_out.without_rows)}
        | {table: sorted(columns) for table, columns in left_out.replaced.items()},
        files={name: describe(draft / name) for name in sorted(files)},
        media=len(media.files),
        media_bytes=sum(file.size for file in media.files.values()),
    ).write(draft)
    size = sum(path.stat().st_size for path in draft.iterdir())
    return {
        "file": place.finish(draft),
        "rows": sum(rows.values()),
        "media files": len(media.files),
        "copied files": media.copied,
        "size": size,
        "seconds": seconds,
    }
