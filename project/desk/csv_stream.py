"""A sheet as CSV, sent while it is read: neither the rows nor the file are ever whole in memory.

RFC 4180 with commas, in UTF-8 with the mark by which Excel recognises it. Numbers have a point,
times are ISO 8601 in the shop's time zone with its offset. A download holds a connection of the
pool and a transaction, so there are few at a time, and each ends: at the latest after
`MOST_SECONDS`, and after `STALLED` if nobody reads.
"""

import csv
import io
import logging
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from threading import BoundedSemaphore
from typing import Any

from django.db import DEFAULT_DB_ALIAS, Error, connections, transaction
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.utils.timezone import localdate, localtime
from django.utils.translation import gettext as _

from project.desk.sheets import Sheet
from project.desk.spreadsheets import BOM, harmless
from project.replica.reading import note_failure, reading_each

logger = logging.getLogger(__name__)

AT_ONCE = 4
"""Downloads of one process: each has one of its pool's twenty connections."""
MOST_SECONDS = 900
STALLED = "60s"
"""A transaction that waits longer for its reader is ended: it would keep VACUUM from cleaning."""
PART_LETTERS = 32_768
"""About as much is sent at a time."""

Finish = Callable[[int, bool], None]
"""Called with the number of rows, and whether the reader left before the last one."""

_downloads = BoundedSemaphore(AT_ONCE)


class DownloadTooLongError(Exception):
    """The reader was so slow that the download was broken off."""


def csv_response(
    sheet: Sheet, shown: QuerySet[Any], *, begin: Callable[[], Finish]
) -> HttpResponseBase:
    """Answer with the sheet of the list's rows; 503 while too many downloads are going on.

    `begin` is called before the first byte, and what it returns when the download has ended.
    """
    if not _downloads.acquire(blocking=False):
        text = _("Other exports are being downloaded. Try again in a minute.")
        return HttpResponse(text, status=503, headers={"Retry-After": "60"})
    try:
        download = _Download(sheet, shown, begin())
    except BaseException:
        _downloads.release()
        raise
    response = StreamingHttpResponse(
        download, content_type="text/csv; charset=utf-8; header=present"
    )
    response["Content-Disposition"] = f'attachment; filename="{file_name(sheet, "csv")}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    response["X-Accel-Buffering"] = "no"  # a proxy would wait for its buffer to fill
    return response


def file_name(sheet: Sheet, ending: str) -> str:
    """Return the name of today's file."""
    return f"{sheet.name}-{localdate():%Y-%m-%d}.{ending}"


def csv_cell(value: Any) -> Any:
    """Return the value as its cell: no text that a spreadsheet would run."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return localtime(value).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else harmless(value)


class _Download:
    """The file's parts. Django calls `close` when the answer is sent or the reader is gone."""

    def __init__(self, sheet: Sheet, shown: QuerySet[Any], finish: Finish) -> None:
        self._progress = _Progress()
        self._parts = _parts(sheet, shown, self._progress)
        self._finish = finish
        self._is_open = True

    def __iter__(self) -> Iterator[bytes]:
        return self._parts

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            try:
                self._parts.close()
                self._finish(self._progress.rows, not self._progress.is_whole)
            except Error:
                logger.warning("the end of an export can't be noted", exc_info=True)
            finally:
                _downloads.release()


@dataclass
class _Progress:
    """How far a download is."""

    rows: int = 0
    is_whole: bool = False


def _parts(sheet: Sheet, shown: QuerySet[Any], progress: _Progress) -> Generator[bytes, None, None]:
    """Yield the file part by part, in the language of the request."""
    language = translation.get_language()
    ends_at = time.monotonic() + MOST_SECONDS
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)

    def taken() -> bytes:
        part = buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
        return part

    buffer.write(BOM)
    with translation.override(language):
        writer.writerow(sheet.header())
    yield taken()

    def file_of(shown: QuerySet[Any]) -> Generator[bytes, None, None]:
        # In a transaction the cursor answers with the first rows before it has found the last.
        with transaction.atomic(using=shown.db):
            with connections[shown.db].cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [STALLED]
                )
            # The cursor is closed before its transaction, also when the reader is gone.
            with closing(reading_each(shown.db, sheet.read_rows(shown))) as rows:
                while True:
                    with translation.override(language):  # not while the part is being sent
                        while (
                            buffer.tell() < PART_LETTERS and (found := next(rows, None)) is not None
                        ):
                            writer.writerows([[csv_cell(value) for value in row] for row in found])
                            progress.rows += len(found)
                    if not buffer.tell():
                        progress.is_whole = True
                        return
                    yield taken()
                    if time.monotonic() > ends_at:
                        raise DownloadTooLongError

    try:
        yield from file_of(shown)
    except Error as error:
        if progress.rows or shown.db == DEFAULT_DB_ALIAS:
            raise
        note_failure(error)  # of the replica, before its first row
        yield from file_of(shown.using(DEFAULT_DB_ALIAS))
