"""`bench partitions`: the table of messages as it is, and the same cut into weeks.

*By time* it is cut by `created_at`, which every unique key must then contain; *by key* by its own
id, a UUIDv7, which begins with the time. All have the same columns, checks and indexes, and the
same rows of thirteen weeks. Each is asked for what relay, worker, order page and pruning ask; then
a week goes.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

from django.core.management.base import CommandError
from django.db import IntegrityError, connection, transaction

from project.benchmarks import Report, judged, scratch_database
from project.database.arrays import array_literal

WEEKS = 13
BATCH = 1000
"""Rows that are deleted at a time, as `project.schedule.prune` does."""
ASKED = 500
INSERTED = 32
"""Rows of a batch of orders."""
TABLE = "notifications_notification"
PLAIN, BY_TIME, BY_KEY = "plain", "by time", "by key"
TARGETS = {
    # Thirty million messages in a night of eight hours.
    "rows pruned a second, plain": {"at_least": 1000.0},
}

Row = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """One of the three tables."""

    variant: str
    key: str = ""
    """The column that it is cut by; empty: it is whole."""

    @property
    def name(self) -> str:
        return f"bench_{self.variant.replace(' ', '_')}"


TABLES = (Table(PLAIN), Table(BY_TIME, "created_at"), Table(BY_KEY, "id"))


def bench_partitions(sizes: tuple[int, ...]) -> Report:
    """Make the three tables with so many messages, ask them, let their oldest week go.

    A message takes some 2.5 kB. Raises CommandError for more than one size.
    """
    if len(sizes) != 1:
        raise CommandError("bench partitions takes one size: the messages in each table.")
    with scratch_database(pool_size=2):
        return measure(sizes[0])


def measure(rows: int) -> Report:
    """Make the three tables one after the other in this database, ask and drop them."""
    began = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    began -= timedelta(weeks=WEEKS)
    found: dict[str, Row] = {}
    pruned = 0.0
    for table in TABLES:
        _make(table, began)
        _fill(table, began, rows)
        found[table.variant] = dict(_ask(table))
        if table.key:
            found[table.variant] |= _drop_week(table)
        else:
            pruned, figures = _delete_week(table, began + timedelta(weeks=1))
            found[table.variant] |= figures
        _execute(f"DROP TABLE {table.name}")
    return judged(
        [
            {"what": what} | {variant: figures[what] for variant, figures in found.items()}
            for what in found[PLAIN]
        ],
        {"rows pruned a second, plain": pruned},
        TARGETS,
    )


# ── The tables ──────────────────────────────────────────────────────────────────────────────
def _make(table: Table, began: datetime) -> None:
    """Make a table like that of messages, with its checks and indexes, in parts if it is cut."""
    cut = f" PARTITION BY RANGE ({table.key})" if table.key else ""
    _execute(
        f"CREATE TABLE {table.name} (LIKE {TABLE} INCLUDING DEFAULTS INCLUDING GENERATED"
        f" INCLUDING CONSTRAINTS INCLUDING STORAGE){cut}"
    )
    if table.key:
        bounds = [began + timedelta(weeks=week) for week in range(WEEKS + 2)]
        for number, (first, last) in enumerate(pairwise(bounds)):
            values = f"('{_bound(table, first)}') TO ('{_bound(table, last)}')"
            _execute(
                f"CREATE TABLE {table.name}_{number} PARTITION OF {table.name}"
                f" FOR VALUES FROM {values}"
            )
        _execute(f"CREATE TABLE {table.name}_rest PARTITION OF {table.name} DEFAULT")
    for definition in _read("SELECT indexdef FROM pg_indexes WHERE tablename = %s", TABLE):
        _execute(_index_for(table, definition[0]))


def _index_for(table: Table, definition: str) -> str:
    """Return the statement that makes the same index; a unique one with the column of the cut."""
    made = re.sub(r"INDEX \S+ ON \S+", f"INDEX ON {table.name}", definition, count=1)
    columns = re.search(r"USING btree \(([^)]*)\)", made)
    if "UNIQUE" in made and table.key and columns and table.key not in columns[1].split(", "):
        made = made.replace(columns[1], f"{columns[1]}, {table.key}", 1)
    return made


def _bound(table: Table, at: datetime) -> str:
    if table.key == "id":
        return str(UUID(int=int(at.timestamp() * 1000) << 80))
    return at.isoformat()


_ROWS = """
INSERT INTO {table} (id, order_id, kind, context, status, event, occasion, channel, recipient,
    language, text, attempts, created_at, ring_after, run_after, finished_at)
SELECT {key}, gen_random_uuid(), 'message',
    jsonb_build_object('text', (SELECT string_agg(md5((number * 37 + part)::text), '')
                                FROM generate_series(1, 25) AS part)),
    CASE WHEN number %% 200 = 0 THEN 'failed' ELSE 'done' END,
    'order_placed', '', 'email', 'ada' || number || '@example.org', 'en', repeat('text ', 60), 1,
    at, at, at, at + interval '1 second'
FROM (
    SELECT number, %(began)s::timestamptz + number * %(step)s::interval AS at
    FROM generate_series(%(first)s, %(last)s) AS number
) AS made
"""
_CLAIM = """
UPDATE {table} SET status = 'running', attempts = 2, finished_at = NULL, started_at = now(),
    token = gen_random_uuid(), lease_until = now() + interval '30 seconds'
WHERE id = %s
"""
_KEY = """(lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
    || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid"""


def _insert(table: Table, began: datetime, step: timedelta, first: int, last: int) -> None:
    _execute(
        _ROWS.format(table=table.name, key=_KEY),
        {"began": began, "step": step, "first": first, "last": last},
    )


def _fill(table: Table, began: datetime, rows: int) -> None:
    _insert(table, began, timedelta(weeks=WEEKS) / rows, 1, rows)
    _execute(f"VACUUM ANALYZE {table.name}")


# ── What is asked ───────────────────────────────────────────────────────────────────────────
def _ask(table: Table) -> Iterator[tuple[str, Any]]:
    some = _read(
        f"SELECT id, order_id FROM {table.name} WHERE status = 'done' ORDER BY random() LIMIT %s",
        ASKED,
    )
    now = datetime.now(UTC)
    numbers = iter(range(10**7, 2 * 10**7, INSERTED))

    def insert() -> None:
        first = next(numbers)
        step = timedelta(microseconds=1)
        _insert(table, now - first * step, step, first, first + INSERTED - 1)

    yield "insert 32, ms", _ms(insert, times=100)
    yield "find by id, ms", _each(some, f"SELECT * FROM {table.name} WHERE id = %s", 0)
    yield (
        "messages of an order, ms",
        _each(some, f"SELECT * FROM {table.name} WHERE order_id = %s", 1),
    )
    claim = _CLAIM.format(table=table.name)
    yield "claim by id, ms", _each(some, claim, 0)
    ready = f"SELECT id FROM {table.name} WHERE status = 'queued' ORDER BY ring_after LIMIT 100"
    yield "look of the relay, ms", _ms(lambda: _read(ready), times=100)
    newest = f"SELECT * FROM {table.name} ORDER BY created_at DESC, id DESC LIMIT 50"
    yield "newest 50, ms", _ms(lambda: _read(newest), times=100)
    yield "the same message twice", _twice(table)


def _twice(table: Table) -> str:
    """Try to write one order's message a second time, a moment later: it must be refused."""
    copied = ", ".join(name for name in _columns(table) if name not in ("id", "created_at"))
    source = f"SELECT {copied} FROM {table.name} WHERE order_id IS NOT NULL LIMIT 1"
    try:
        with transaction.atomic():
            _execute(
                f"INSERT INTO {table.name} (id, created_at, {copied})"
                f" SELECT %s, now(), again.* FROM ({source}) AS again",
                [uuid4()],
            )
            transaction.set_rollback(True)
    except IntegrityError:
        return "refused"
    return "accepted"


# ── A week goes ─────────────────────────────────────────────────────────────────────────────
def _delete_week(table: Table, until: datetime) -> tuple[float, Row]:
    """Delete the oldest week as the shop prunes, then vacuum; return the rows a second, and the
    figures."""
    wal, began, slowest, deleted = _wal(), time.perf_counter(), 0.0, 0
    while keys := _read(
        f"SELECT id FROM {table.name} WHERE status IN ('done', 'cancelled') AND finished_at < %s"
        f" ORDER BY finished_at LIMIT {BATCH}",
        until,
    ):
        one = time.perf_counter()
        ids = array_literal(key for (key,) in keys)
        _execute(f"DELETE FROM {table.name} WHERE id = ANY(%s::uuid[])", [ids])
        slowest, deleted = max(slowest, time.perf_counter() - one), deleted + len(keys)
    pruned = deleted / (time.perf_counter() - began)
    vacuumed = time.perf_counter()
    _execute(f"VACUUM {table.name}")
    return pruned, {
        "a week goes, s": round(vacuumed - began, 2),
        "… its VACUUM, s": round(time.perf_counter() - vacuumed, 2),
        "… its WAL, MB": round((_wal() - wal) / 1e6, 1),
        "… longest lock, ms": round(1000 * slowest, 1),
    }


def _drop_week(table: Table) -> Row:
    """Take the oldest week off and drop it; failed messages stay for somebody's decision."""
    wal, week = _wal(), f"{table.name}_0"
    columns = ", ".join(_columns(table))
    began = time.perf_counter()
    with transaction.atomic():
        _execute(f"ALTER TABLE {table.name} DETACH PARTITION {week}")
        _execute(
            f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM {week}"
            " WHERE status IN ('failed', 'unknown')"
        )
        _execute(f"DROP TABLE {week}")
    seconds = time.perf_counter() - began
    return {
        "a week goes, s": round(seconds, 2),
        "… its VACUUM, s": 0.0,
        "… its WAL, MB": round((_wal() - wal) / 1e6, 1),
        "… longest lock, ms": round(1000 * seconds, 1),
    }


# ── PostgreSQL ──────────────────────────────────────────────────────────────────────────────
def _columns(table: Table) -> list[str]:
    """Return the columns that aren't generated."""
    rows = _read(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
        table.name,
    )
    return [name for (name,) in rows]


def _each(keys: list[tuple[Any, ...]], statement: str, place: int) -> float:
    """Return the milliseconds of the statement, with one of these keys after the other."""
    return _least([_timed(partial(_execute, statement, [key[place]])) for key in keys])


def _ms(work: Callable[[], object], *, times: int) -> float:
    return _least([_timed(work) for _time in range(times)])


def _least(seconds: Sequence[float]) -> float:
    """Return the milliseconds of the fastest: what other work on the machine took isn't in it."""
    return round(1000 * min(seconds), 3)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _wal() -> int:
    return int(_read("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")[0][0])


def _read(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _execute(statement: str, values: Any = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
