"""Small backups for the tests, without a database."""

from pathlib import Path
from typing import Any

from project.backup.folder import BackupFolder
from project.backup.manifest import Manifest, describe
from project.backup.media import LIST, MediaCopy
from project.backup.snapshot import DUMP


def made_backup(path: Path, **changes: Any) -> Path:
    """Return a finished backup of the media, with a dump that nothing can read."""
    folder = BackupFolder(path)
    folder.prepare()
    media = MediaCopy(folder.contents, known=folder.known_media())
    draft = folder.begin()
    with (draft / LIST).open("w") as listed:
        media.look(listed)
    (draft / DUMP).write_bytes(b"no dump")
    values: dict[str, Any] = {
        "version": "1.0.0",
        "made_at": "2026-03-01T02:15:00+00:00",
        "seconds": 1.0,
        "postgresql": 140_000,
        "migrations": {},
        "rows": {},
        "left_out": {},
        "files": {name: describe(draft / name) for name in (DUMP, LIST)},
        "media": len(media.files),
        "media_bytes": 0,
    }
    Manifest(**(values | changes)).write(draft)
    return folder.path / folder.finish(draft)
