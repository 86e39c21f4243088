"""An import's pictures and videos: read, hashed and stored in parallel threads.

Reading and storing wait for disks and networks, hashing lets go of Python's lock: threads pay.
Nothing is decoded here; that is the media worker's.
"""

import hashlib
import logging
from collections.abc import Collection, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event

from django.core.files.base import File
from django.db import Error, connection
from django.utils import translation
from django.utils.translation import gettext as _

from media_jobs.assets import store_asset
from media_jobs.filetypes import HEAD_BYTES, MP4, UnusableFileError, check_size, sniff
from media_jobs.models import Asset
from orders.imports.errors import RowRefusedError
from orders.imports.package import PackedFile

logger = logging.getLogger(__name__)

THREADS = 8


@dataclass(frozen=True)
class Picture:
    """A file that can be used. A dry run has its hash only."""

    sha256: str
    asset: Asset | None


@dataclass(frozen=True)
class Unusable:
    """A file that can't; `reason` is for the shopkeeper."""

    reason: str


def take_pictures(
    files: Collection[PackedFile], *, dry_run: bool, threads: int = THREADS
) -> Generator[tuple[str, Picture | Unusable], None, None]:
    """Store the files as assets, and yield each one's name and outcome as they come.

    One that fails doesn't stop the others; only a database that fails does (django.db.Error).
    Whoever stops asking stops the threads, each after the file in its hands.
    """
    language = translation.get_language()
    waiting: SimpleQueue[PackedFile] = SimpleQueue()
    taken: SimpleQueue[tuple[str, Picture | Unusable | Error]] = SimpleQueue()
    for file in files:
        waiting.put(file)
    stop = Event()

    def drain() -> None:
        try:
            with translation.override(language):
                while not stop.is_set():
                    file = waiting.get_nowait()
                    taken.put((file.name, _taken(file, dry_run=dry_run)))
        except Empty:
            pass  # nothing is left to do
        finally:
            connection.close()

    with ThreadPoolExecutor(threads, thread_name_prefix="import-pictures") as pool:
        for _thread in range(min(threads, len(files))):
            pool.submit(drain)
        try:
            for _file in files:
                name, outcome = taken.get()
                if isinstance(outcome, Error):
                    raise outcome
                yield name, outcome
        finally:
            stop.set()


def _taken(packed: PackedFile, *, dry_run: bool) -> Picture | Unusable | Error:
    try:
        check_size(packed.size, MP4)  # the most that any file may have, before it is unpacked
        with packed.open() as opened:
            if dry_run:
                return Picture(_digest_of_usable(File(opened), packed.size), None)
            asset = store_asset(File(opened), name=packed.name.rpartition("/")[2])
            return Picture(asset.sha256, asset)
    except Error as error:
        return error
    except (UnusableFileError, RowRefusedError) as error:
        return Unusable(str(error))
    except Exception as error:
        logger.warning("could not take %s", packed.name, exc_info=True)
        text = _("could not be stored (%(error)s); import the table again")
        return Unusable(text % {"error": error})


def _digest_of_usable(file: File, size: int) -> str:
    """Look at the file as `store_asset` does, and leave nothing. Raises UnusableFileError."""
    check_size(size, sniff(file.read(HEAD_BYTES)))
    file.seek(0)
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()
