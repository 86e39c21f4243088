"""The folder in which the processes of one gunicorn keep their figures, in memory if possible.

`project/wsgi.py` makes it before prometheus_client is loaded, which looks for it then. It goes with
the master; what a killed one left goes when the next one starts.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from project import left_folders

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_PREFIX = "tandem-figures-"
_MEMORY = Path("/dev/shm")  # noqa: S108 (folders of our own, by mkdtemp)
_folder: Path | None = None


def make() -> None:
    """Make the folder of this process and those that it forks; once."""
    global _folder
    if _folder is not None:
        return
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    _folder = left_folders.make(_PREFIX, place)
    os.environ[VARIABLE] = str(_folder)
    atexit.register(_remove, _folder, os.getpid())


def of_this_process() -> Path | None:
    """Return the folder; None where a process counts for itself alone."""
    return _folder


def note_end(pid: int) -> None:
    """Take out what a process of this master that ended showed of its last moment."""
    if _folder is not None:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(pid, str(_folder))


def _remove(folder: Path, master: int) -> None:
    if os.getpid() == master:  # a forked process has this call as well
        shutil.rmtree(folder, ignore_errors=True)
