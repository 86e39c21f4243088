"""Passes: how a sweep walks over the rows that changed, page by page, each page once.

A pass covers the time from the sweep's mark (less OVERLAP) to `until`. Its pages are read by keyset
(time, key), and the sweep's row remembers the last one: so a run goes on behind it, whatever that
page held. When the pass ends, the mark moves to `until`; if rows were left (somebody had them
locked), only to the first of them, and the next pass meets them again.

Two relays may walk at once: a step back in the pages repeats work that is idempotent, and only
who is in the same pass may move its position.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from project.database.errors import is_outage
from project.models import OVERLAP, Sweep

logger = logging.getLogger(__name__)

PAGE_SIZE = 200
"""Rows of one page."""
RUN_SECONDS = 5.0
"""For one run of a sweep; the next one goes on behind it."""
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
FIRST_KEY = UUID(int=0)


class UnfinishedError(Exception):
    """A sweep has done what it could; the message says what waits, and for what."""


class Row(NamedTuple):
    """One row of a page: its place in the order of the pass, and what the sweep reads of it."""

    at: datetime
    key: UUID
    content: Any = None


class Position(NamedTuple):
    """Behind which row a page begins."""

    at: datetime
    key: UUID


ReadPage = Callable[[Position, datetime, int], Sequence[Row]]
"""Returns up to so many rows behind a position, none later than a time, by (time, key)."""


@dataclass
class Pass:
    """One walk of a sweep. `open_pass` makes one."""

    name: str
    until: datetime
    position: Position
    left: int = 0
    """Rows of this run that could not be handled."""
    _left_since: datetime | None = None
    _deadline: float = field(default_factory=lambda: time.monotonic() + RUN_SECONDS)

    def run(
        self, read: ReadPage, work: Callable[[Row], int], *, busy: type[Exception], what: str
    ) -> int:
        """Call `work` for each row for RUN_SECONDS at most; return the sum of what it returned.

        A row whose work raises is left to the next pass, and stops no other; an outage of the
        database ends the run. Raises UnfinishedError at the end if rows were left; `busy` is
        what `work` raises of a locked one, and `what` names the rows.
        """
        total, errors = 0, set()
        for page in self.pages(read):
            for row in page:
                try:
                    total += work(row)
                except busy:
                    self.leave(row.at)
                except Exception as error:
                    if is_outage(error):
                        raise
                    logger.exception("%s: %s is left for later", self.name, row.key)
                    errors.add(f"{type(error).__name__}: {error}")
                    self.leave(row.at)
                self.position = Position(row.at, row.key)
                if time.monotonic() > self._deadline:
                    break
        self.raise_if_left(what, *sorted(errors))
        return total

    def pages(self, read: ReadPage, *, size: int | None = None) -> Iterator[Sequence[Row]]:
        """Give page after page until RUN_SECONDS are over or the pass ends.

        A page counts as handled when the next one is asked for. If only a part of it was, the
        caller has moved `position` to the last row that was.
        """
        size = size or PAGE_SIZE
        while True:
            page = read(self.position, self.until, size)
            if page:
                before = self.position
                yield page
                if self.position == before:
                    self.position = Position(page[-1].at, page[-1].key)
            is_whole = not page or self.position == (page[-1].at, page[-1].key)
            if is_whole and len(page) < size:
                self._end()
                return
            self._save()
            if time.monotonic() > self._deadline:
                return

    def leave(self, at: datetime) -> None:
        """Note that a row of that time could not be handled: the next pass begins there."""
        self.left += 1
        self._left_since = min(self._left_since or at, at)

    def raise_if_left(self, what: str, *errors: str) -> None:
        """Raise UnfinishedError if rows were left in this run."""
        if self.left:
            why = "; ".join(errors) or "locked by another transaction"
            raise UnfinishedError(f"{self.left} {what} wait: {why}"[:900])

    def _save(self) -> None:
        Sweep.objects.keep_position(
            self.name,
            until=self.until,
            at=self.position.at,
            key=self.position.key,
            left_since=self._left_since,
        )

    def _end(self) -> None:
        Sweep.objects.end_pass(self.name, until=self.until, left_since=self._left_since)


def open_pass(name: str, *, until: datetime, first: datetime | None = None) -> Pass:
    """Go on with the sweep's pass, or begin one that ends at `until`.

    The very first begins at `first` (None: with all that there is). A pass beyond `until` is
    begun anew: a setting has been changed meanwhile.
    """
    row, _created = Sweep.objects.get_or_create(name=name)
    if row.pass_until is not None and row.pass_until <= until and row.page_at and row.page_key:
        return Pass(name, until=row.pass_until, position=Position(row.page_at, row.page_key))
    since = row.done_until - OVERLAP if row.done_until else first or LONG_AGO
    Sweep.objects.begin_pass(name, until=until)
    return Pass(name, until=until, position=Position(since, FIRST_KEY))
