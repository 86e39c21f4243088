"""Reads that may lag: which server answers them, and what happens if the replica doesn't.

A page is read anew from the primary if the replica fails under it, so a replica that dies is no
error page. What a job reads must be whole: it waits a moment for the replica to have everything.
"""

import logging
import time
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.http import HttpRequest

from project.database.errors import QUERY_CANCELED, dropped_if_lost, is_outage, sqlstate
from project.figures.noting import Counter, count
from project.replica import ALIAS
from project.replica.own_writes import own_position
from project.replica.positions import replayed_position, written_position
from project.replica.router import reading
from project.replica.watch import AWAY, BEHIND, watch

logger = logging.getLogger(__name__)

FAILED = "failed"
CATCH_UP_SECONDS = 5.0
"""A job that reads waits so long for the replica; then it reads the primary."""
READS = Counter(
    "tandem_replica_reads",
    "Reads that may lag, by the server that answered, and why it wasn't the replica",
    labels=("server", "why"),
)

Found = TypeVar("Found")
Row = TypeVar("Row")


def is_used() -> bool:
    """Tell whether the shop has a replica."""
    return ALIAS in settings.DATABASES


def source_for(request: HttpRequest) -> str:
    """Return the alias that answers this request's read: the replica's, or the primary's."""
    if not is_used() or request.method not in ("GET", "HEAD"):
        return DEFAULT_DB_ALIAS
    why = watch().reason_against(written=own_position(request))
    return _counted(why)


def read_lagging(request: HttpRequest, read: Callable[[], Found]) -> Found:
    """Return `read()`, done by the replica if it may answer this request.

    `read` changes nothing: it is called once more, on the primary, if the replica fails under it. A
    statement that took too long is not asked again: it would take as long there.
    """
    if source_for(request) == ALIAS:
        try:
            with reading(ALIAS):
                return read()
        except Error as error:
            if sqlstate(error) == QUERY_CANCELED:
                raise
            note_failure(error)
    return read()


def note_failure(error: Error) -> None:
    """Count and log that the primary has to answer, and leave out a replica that is away."""
    logger.warning("the replica failed, the primary answers: %s", error)
    count(READS, DEFAULT_DB_ALIAS, FAILED)
    dropped_if_lost(error, connections[ALIAS])
    if is_outage(error):
        watch().leave_out(error)


def caught_up(*, within: float = CATCH_UP_SECONDS) -> str:
    """Return the alias from which a job reads what must be whole.

    It is the replica's once that has all that the primary has now, else the primary's. It waits
    up to `within` seconds.
    """
    if not is_used():
        return DEFAULT_DB_ALIAS
    deadline, why = time.monotonic() + within, BEHIND
    try:
        written = written_position()
        while replayed_position() < written:
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
        else:
            why = ""
    except Error as error:
        logger.warning("a job reads from the primary: %s", error)
        dropped_if_lost(error, connections[ALIAS])
        why = AWAY
    return _counted(why)


def _counted(why: str) -> str:
    alias = DEFAULT_DB_ALIAS if why else ALIAS
    count(READS, alias, why)
    return alias


def reading_each(alias: str, rows: Generator[Row, None, Any]) -> Generator[Row, None, None]:
    """Yield the rows, each read from this server; what their reader asks meanwhile is as ever."""
    with closing(rows):
        while True:
            with reading(alias):
                try:
                    row = next(rows)
                except StopIteration:
                    return
            yield row
