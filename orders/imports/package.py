"""The files of an import: a folder, or a zip that is never unpacked as a whole.

A zip is untrusted. Its list of names and sizes is checked before any file is read: no name may
lead out of the zip, and the unpacked size is limited.
"""

import os
import posixpath
import unicodedata
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from django.utils.translation import gettext as _

from orders.imports.errors import ImportRefusedError, RowRefusedError

MAX_FILES = 20_000
MAX_TOTAL_BYTES = 4_000_000_000
MAX_RATIO = 100
"""The largest allowed ratio of unpacked to packed size; pictures hardly compress."""
SMALL_BYTES = 100_000_000
"""The ratio isn't checked up to this unpacked size."""
MAX_TABLE_BYTES = 20_000_000
SPOOL_BYTES = 1_000_000
"""An unpacked file stays in memory up to this size; a larger one is a temporary file."""
TABLES = (".csv", ".xlsx")
JUNK = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class PackedFile:
    """A file of the package. Several threads may call `open` at once."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


class Package:
    """One table and its files, which are found by the names in the table."""

    def __init__(self, files: Iterable[PackedFile]) -> None:
        files = _without_top_folder(list(files))
        self.table = _the_table(files)
        self._exact = {_composed(file.name): file for file in files}
        self._alike: dict[str, list[PackedFile]] = {}
        for file in files:
            name = _composed(file.name).casefold()
            for known_as in {name, posixpath.basename(name)}:
                self._alike.setdefault(known_as, []).append(file)

    def find(self, name: str) -> PackedFile:
        """Return the file with this name: an exact match, else in any case, else in any subfolder.

        Raises RowRefusedError if there is none, or more than one.
        """
        wanted = _composed(name.replace("\\", "/"))
        if file := self._exact.get(wanted):
            return file
        found = self._alike.get(wanted.casefold(), [])
        if len(found) == 1:
            return found[0]
        if found:
            text = _("“%(name)s” is there more than once: write its folder too.")
        else:
            text = _("“%(name)s” isn't among the files. Put it beside the table, or correct it.")
        raise RowRefusedError(text % {"name": name})


def folder_package(folder: Path) -> Package:
    """Return the folder's files, with those of its subfolders. Raises ImportRefusedError."""
    if not folder.is_dir():
        raise ImportRefusedError(_("%(folder)s isn't a folder.") % {"folder": folder})
    home = folder.resolve()
    files = []
    for place, _folders, names in os.walk(home):
        for name in names:
            path = Path(place, name)
            relative = path.relative_to(home).as_posix()
            # Links are skipped: a link may lead out of the folder.
            if _is_junk(relative) or path.is_symlink() or not path.is_file():
                continue
            files.append(PackedFile(relative, path.stat().st_size, _opener(path)))
    return Package(files)


def zip_package(archive: zipfile.ZipFile) -> Package:
    """Return the zip's files. Raises ImportRefusedError if the zip isn't safe to read."""
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > MAX_FILES:
        text = _("The zip has %(count)d files; at most %(limit)d can be imported at once.")
        raise ImportRefusedError(text % {"count": len(infos), "limit": MAX_FILES})
    total = sum(info.file_size for info in infos)
    packed = sum(info.compress_size for info in infos)
    if total > MAX_TOTAL_BYTES or (total > SMALL_BYTES and total > MAX_RATIO * max(packed, 1)):
        text = _("Unpacked, the zip has %(size)d MB. Split it, and pack only files of the import.")
        raise ImportRefusedError(text % {"size": total // 1_000_000})
    files, names = [], set()
    for info in infos:
        name = info.filename
        if _leads_elsewhere(name):
            text = _("The zip has a file named “%(name)s”, which leads out of it. Pack it anew.")
            raise ImportRefusedError(text % {"name": name[:100]})
        if name in names:
            text = _("The zip has “%(name)s” twice. Pack it anew.")
            raise ImportRefusedError(text % {"name": name[:100]})
        if info.flag_bits & 0x1:
            raise ImportRefusedError(_("The zip has a password. Pack it without."))
        names.add(name)
        if not _is_junk(name):
            files.append(PackedFile(name, info.file_size, _unpacker(archive, info)))
    return Package(files)


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")


def _unpacker(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    """Return a function that unpacks one file, up to the size that was checked."""

    def unpack() -> IO[bytes]:
        spool: Any = SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115 - the caller closes it
        try:
            with archive.open(info) as member:
                while chunk := member.read(64 * 1024):
                    spool.write(chunk)
        except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
            spool.close()
            text = _("“%(name)s” is damaged in the zip. Pack it anew.")
            raise RowRefusedError(text % {"name": info.filename}) from error
        except BaseException:
            spool.close()
            raise
        spool.seek(0)
        unpacked: IO[bytes] = spool
        return unpacked

    return unpack


def _leads_elsewhere(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name


def _is_junk(name: str) -> bool:
    parts = name.split("/")
    return any(part in JUNK for part in parts) or parts[-1].startswith(("._", "~$", ".~lock"))


def _without_top_folder(files: list[PackedFile]) -> list[PackedFile]:
    """Remove the top folder from all names, if the zip is the zip of one folder."""
    tops = {file.name.partition("/")[0] for file in files if "/" in file.name}
    if len(tops) != 1 or any("/" not in file.name for file in files):
        return files
    return [PackedFile(file.name.partition("/")[2], file.size, file.open) for file in files]


def _the_table(files: list[PackedFile]) -> PackedFile:
    tables = [file for file in files if "/" not in file.name and file.name.lower().endswith(TABLES)]
    if not tables:
        raise ImportRefusedError(_("There is no table: put one .csv or .xlsx beside the pictures."))
    if len(tables) > 1:
        names = ", ".join(sorted(file.name for file in tables)[:5])
        text = _("There is more than one table (%(names)s): leave only one.")
        raise ImportRefusedError(text % {"names": names})
    if tables[0].size > MAX_TABLE_BYTES:
        text = _("The table has %(size)d MB; at most %(limit)d MB can be read. Split it.")
        raise ImportRefusedError(
            text % {"size": tables[0].size // 1_000_000, "limit": MAX_TABLE_BYTES // 1_000_000}
        )
    return tables[0]


def _composed(name: str) -> str:
    """Return the name in one Unicode form (NFC): macOS writes é as e and an accent."""
    return unicodedata.normalize("NFC", name)
