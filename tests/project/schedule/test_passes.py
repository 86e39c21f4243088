"""A pass sees each row once, goes on behind what it can't handle, and passes nothing by."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import OperationalError

from project.models import OVERLAP, Sweep
from project.schedule import passes
from project.schedule.passes import Pass, Position, Row, UnfinishedError, open_pass

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Busy(Exception):
    """Somebody has the row locked."""


def row(second: int, key: int = 1) -> Row:
    return Row(NOON + timedelta(seconds=second), UUID(int=key))


class Table:
    """Rows that a sweep walks over."""

    def __init__(self, *rows: Row) -> None:
        self.rows = sorted(rows)
        self.busy: set[Row] = set()
        self.seen: list[Row] = []

    def read(self, after: Position, until: datetime, limit: int) -> Sequence[Row]:
        found = [row for row in self.rows if (row.at, row.key) > after and row.at <= until]
        return found[:limit]

    def work(self, row: Row) -> int:
        self.seen.append(row)
        if row in self.busy:
            raise Busy
        return 1

    def walk(self, walk: Pass) -> int:
        return walk.run(self.read, self.work, busy=Busy, what="rows")


def begin(second: int) -> Pass:
    return open_pass("walk", until=NOON + timedelta(seconds=second))


def mark() -> datetime | None:
    return Sweep.objects.get(name="walk").done_until


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "PAGE_SIZE", 2)


@pytest.fixture
def a_page_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "RUN_SECONDS", 0.0)


def test_a_run_walks_to_the_end_and_moves_the_mark() -> None:
    table = Table(*[row(second) for second in range(5)])

    assert table.walk(begin(10)) == 5

    assert table.seen == table.rows
    assert mark() == NOON + timedelta(seconds=10)


def test_rows_of_the_same_moment_are_told_apart_by_their_keys() -> None:
    table = Table(*[row(0, key) for key in range(7)])

    assert table.walk(begin(10)) == 7
    assert table.seen == table.rows


@pytest.mark.usefixtures("a_page_a_run")
def test_the_next_run_goes_on_behind_the_last_one() -> None:
    table = Table(*[row(second) for second in range(5)])

    assert [table.walk(begin(10)) for _run in range(4)] == [1] * 4
    assert (table.seen, mark()) == (table.rows[:4], None)

    assert table.walk(begin(10)) == 1
    assert table.seen == table.rows
    assert mark() == NOON + timedelta(seconds=10)


def test_a_pass_overlaps_the_one_before_for_what_was_committed_late() -> None:
    table = Table(row(0))
    table.walk(begin(10))
    table.rows.append(row(9))

    table.walk(begin(20))

    assert table.seen[-1] == row(9)
    assert timedelta(seconds=11) < OVERLAP


@pytest.mark.usefixtures("a_page_a_run")
def test_what_is_committed_behind_the_position_is_met_by_the_next_pass() -> None:
    table = Table(row(5), row(6))
    table.walk(begin(10))
    late = row(1)
    table.rows.insert(0, late)

    for _run in range(10):
        table.walk(begin(10))

    assert late in table.seen


def test_a_busy_row_is_left_to_the_next_pass_and_stops_no_other() -> None:
    table = Table(*[row(100 * number) for number in range(5)])
    table.busy = {row(100)}

    with pytest.raises(UnfinishedError, match=r"^1 rows wait: locked by another transaction$"):
        table.walk(begin(1000))
    assert table.seen == table.rows
    assert mark() == row(100).at

    table.busy, table.seen = set(), []
    table.walk(begin(1000))
    assert table.seen == table.rows[1:]
    assert mark() == NOON + timedelta(seconds=1000)


@pytest.mark.usefixtures("a_page_a_run")
def test_a_row_left_by_an_earlier_run_of_the_pass_is_not_forgotten() -> None:
    table = Table(*[row(100 * number) for number in range(4)])
    table.busy = {row(100)}

    assert table.walk(begin(1000)) == 1
    with pytest.raises(UnfinishedError):
        table.walk(begin(1000))
    table.walk(begin(1000))
    table.walk(begin(1000))

    assert mark() == row(100).at


def test_pages_full_of_busy_rows_stop_no_other() -> None:
    table = Table(*[row(second) for second in range(9)])
    table.busy = set(table.rows[:7])

    with pytest.raises(UnfinishedError, match=r"^7 rows"):
        table.walk(begin(10))

    assert table.seen == table.rows


def test_an_outage_ends_the_run_where_it_is() -> None:
    table = Table(*[row(second) for second in range(5)])

    def away(row: Row) -> int:
        table.seen.append(row)
        raise OperationalError("the connection is lost")

    with pytest.raises(OperationalError):
        begin(10).run(table.read, away, busy=Busy, what="rows")

    assert table.seen == table.rows[:1]
    assert mark() is None


def test_a_pass_beyond_its_end_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(*[row(second) for second in range(50)])
    monkeypatch.setattr(passes, "RUN_SECONDS", 0.0)
    table.walk(begin(40))

    assert begin(30).until == NOON + timedelta(seconds=30)
    assert begin(30).position == (passes.LONG_AGO, passes.FIRST_KEY)


@pytest.mark.usefixtures("a_page_a_run")
def test_another_relay_in_another_pass_cannot_move_the_position() -> None:
    table = Table(*[row(second) for second in range(5)])
    mine, other = begin(10), begin(20)
    table.walk(other)

    table.walk(mine)

    stored = Sweep.objects.get(name="walk")
    assert (stored.pass_until, stored.page_at) == (other.until, row(0).at)
