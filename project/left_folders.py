"""Temporary folders of one process: they go with it, or when the next such process starts."""

import os
import shutil
import tempfile
from pathlib import Path

from project.process_ids import is_running


def make(prefix: str, place: Path) -> Path:
    """Make a folder of this process's own, and remove those of processes that were killed."""
    remove_left_ones(prefix, place)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=place))


def remove_left_ones(prefix: str, place: Path) -> None:
    """Remove our own folders there whose process is gone."""
    for folder in place.glob(f"{prefix}*"):
        owner = folder.name.removeprefix(prefix).partition("-")[0]
        if owner.isdecimal() and _is_ours(folder) and not is_running(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    try:
        return folder.stat().st_uid == os.getuid()
    except OSError:
        return False
