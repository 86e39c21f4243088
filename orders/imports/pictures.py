"""An import's pictures and videos: parallel threads read, hash and store them.

Threads help because reading and storing wait for disk and network, and hashing releases Python's
lock. Nothing is decoded here: the media worker does that.
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


BY_CONTENT = "sha256:"
"""Before the hash of a picture that the shop has: an export writes it instead of a file's name."""


@dataclass(frozen=True)
class Picture:
    """A usable file, or one that the table names by its content. In a dry run it has no asset."""

    sha256: str
    asset: Asset | None
    is_absent: bool = False
    """The table names a content that the shop doesn't have."""


@dataclass(frozen=True)
class Unusable:
    """A file that can't be used; `reason` is for the operator."""

    reason: str


def pictures_by_content(files: Collection[str]) -> dict[str, Picture]:
    """Return the pictures that these cells name by content, in one query; leave out file names."""
    wanted = {file: file.removeprefix(BY_CONTENT) for file in files if file.startswith(BY_CONTENT)}
    found = Asset.objects.filter(sha256__in=wanted.values()) if wanted else ()
    assets = {asset.sha256: asset for asset in found}
    return {
        file: Picture(sha256, assets.get(sha256), is_absent=sha256 not in assets)
        for file, sha256 in wanted.items()
    }


def store_pictures(
    files: Collection[PackedFile], *, dry_run: bool, threads: int = THREADS
) -> Generator[tuple[str, Picture | Unusable], None, None]:
    """Store the files as assets, and yield the name and the outcome of each as it finishes.

    An unusable file doesn't stop the others; a database error does (django.db.Error). Closing the
    generator stops the threads; each of them finishes its current file.
    """
    language = translation.get_language()
    waiting: SimpleQueue[PackedFile] = SimpleQueue()
    outcomes: SimpleQueue[tuple[str, Picture | Unusable | Error]] = SimpleQueue()
    for file in files:
        waiting.put(file)
    stop = Event()

    def drain() -> None:
        try:
            with translation.override(language):
                while not stop.is_set():
                    file = waiting.get_nowait()
                    outcomes.put((file.name, _store_picture(file, dry_run=dry_run)))
        except Empty:
            pass  # the queue is empty: this thread ends
        finally:
            connection.close()

    with ThreadPoolExecutor(threads, thread_name_prefix="import-pictures") as pool:
        for _thread in range(min(threads, len(files))):
            pool.submit(drain)
        try:
            for _file in files:
                name, outcome = outcomes.get()
                if isinstance(outcome, Error):
                    raise outcome
                yield name, outcome
        finally:
            stop.set()


def _store_picture(packed: PackedFile, *, dry_run: bool) -> Picture | Unusable | Error:
    try:
        check_size(packed.size, MP4)  # the largest limit, before the file is unpacked
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
    """Check the file as `store_asset` does, without storing it. Raises UnusableFileError."""
    check_size(size, sniff(file.read(HEAD_BYTES)))
    file.seek(0)
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()
