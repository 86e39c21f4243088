"""The contents of media files, each stored once by its SHA-256, for all backups of a place."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

CONTENTS = "media"
DRAFT = ".draft"


class Contents(Protocol):
    """Where a place keeps the contents."""

    def draft(self) -> Path:
        """Return the file into which a content is written, before its SHA-256 is known."""

    def keep(self, draft: Path, sha256: str) -> None:
        """Keep what the draft has as the content with this SHA-256."""

    def has(self, sha256: str, size: int) -> bool:
        """Tell whether the content is there with this size in bytes."""

    def opened(self, sha256: str) -> AbstractContextManager[Path]:
        """Yield a file with the content; the file doesn't exist if the content is missing."""

    def shown(self, sha256: str) -> str:
        """Return the content's place, for people."""

    def remove_all_but(self, kept: set[str]) -> int:
        """Remove the contents that have none of these SHA-256; return how many."""


class FolderContents:
    """Contents in a folder: `ab/abcdef…`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def draft(self) -> Path:
        return self.path / DRAFT

    def keep(self, draft: Path, sha256: str) -> None:
        path = path_of(self.path, sha256)
        path.parent.mkdir(exist_ok=True)
        draft.replace(path)

    def has(self, sha256: str, size: int) -> bool:
        path = path_of(self.path, sha256)
        return path.exists() and path.stat().st_size == size

    @contextmanager
    def opened(self, sha256: str) -> Iterator[Path]:
        yield path_of(self.path, sha256)

    def shown(self, sha256: str) -> str:
        return str(path_of(self.path, sha256))

    def remove_all_but(self, kept: set[str]) -> int:
        old = [path for path in self.path.glob("??/*") if path.name not in kept]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)


def path_of(contents: Path, sha256: str) -> Path:
    """Return where the content with this SHA-256 is below a folder of contents."""
    return contents / sha256[:2] / sha256
