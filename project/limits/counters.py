"""Counting by keys against limits, in one table for all processes.

    take([Count("order:email", "ada@example.org", Rate(10, 3600)), …])   all of them, or none

A key's window begins with its first count and ends after the limit's period; the next count begins
a new one. The whole check is one statement in a transaction of its own:

- It locks the counters in the order of their names, so two of them never deadlock.
- A key that has reached its limit is found without a lock, so a flood of refused requests
  locks no counter. A race for the last place is decided by the row: `used < allowed` is checked
  again under its lock.
- It doesn't wait for the disk (`synchronous_commit`), so a counter that many orders share is locked
  for microseconds. A crash of PostgreSQL forgets the counts of its last half second.
- A counter for everybody is spread over rows (`is_shared`), of which each count takes a random one.
"""

import json
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from project.database.arrays import array_literal
from project.limits.rates import Rate

MAX_SHARDS = 16
SHARD_SIZE = 250
"""A shared counter has a row for each so many of its limit, up to MAX_SHARDS. Then the rows
fill evenly enough: the last percent of the limit may be refused early."""
LOCK_TIMEOUT = "500ms"
TRIES = 3


@dataclass(frozen=True)
class Count:
    """One to count: by its limit's name, under a key."""

    limit: str
    key: str
    rate: Rate
    """The limit by the settings; a row of `project.models.Limit` replaces it."""
    ends_at: datetime | None = None
    """The end of a window that begins now; None: after the rate's period."""
    is_shared: bool = False
    """Everybody is counted by this key."""


@dataclass(frozen=True)
class Counted:
    """A counter that `take` increased."""

    counter_id: int
    ends_at: datetime
    """The end of its window."""
    used: int
    """How often it has been counted in it, this time included."""
    rate: Rate
    """The limit in force: an operator's, or the setting's."""


class LimitReachedError(Exception):
    """At least one key has reached its limit; nothing is counted."""

    def __init__(
        self,
        limit: str,
        *,
        retry_after: int,
        ends_at: datetime | None,
        rate: Rate | None = None,
    ) -> None:
        super().__init__(limit)
        self.limit = limit
        self.retry_after = retry_after
        """Seconds, at least 1."""
        self.ends_at = ends_at
        """The end of the key's window, if it is known."""
        self.rate = rate
        """The limit in force, if it is known."""


def take(counts: Sequence[Count]) -> list[Counted]:
    """Count all of them, or none. Raises LimitReachedError, and OperationalError after a wait.

    The limits' names must differ.
    """
    refused = None
    for _try in range(TRIES):
        counted, missing, refused = _count(counts)
        if not missing:
            return counted
        # Another request got the last place of a key between this statement's look and its
        # lock. The next look sees that.
        give_back(counted)
        if refused:
            break
    if refused is None:  # the last place was taken and given back at each try
        raise LimitReachedError(counts[0].limit, retry_after=1, ends_at=None)
    raise refused


def give_back(counted: Sequence[Counted]) -> None:
    """Uncount what `take` counted: it didn't happen. A window that has ended is left alone."""
    if not counted:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _GIVE_BACK,
            {
                "wait": LOCK_TIMEOUT,
                "ids": array_literal([one.counter_id for one in counted]),
                "ends": [one.ends_at for one in counted],
            },
        )


def _count(counts: Sequence[Count]) -> tuple[list[Counted], int, LimitReachedError | None]:
    """Run the statement; return what it counted, how many it didn't, and the reason if known."""
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE,
            {
                "wait": LOCK_TIMEOUT,
                # One text: psycopg inspects each element of a list in Python.
                "wanted": json.dumps([_row(one) for one in counts]),
                "dice": random.random(),
                "shard_size": SHARD_SIZE,
                "max_shards": MAX_SHARDS,
            },
        )
        rows = cursor.fetchall()
    counted = [
        Counted(row[0], row[1], used=row[5], rate=Rate(row[6], row[7]))
        for row in rows
        if row[0] is not None
    ]
    full = [row for row in rows if row[0] is None and row[1] is not None]
    asked = sum(row[4] for row in rows)
    if not full:
        return counted, asked - len(counted), None
    _, ends_at, limit, wait, _, _, allowed, seconds = max(full, key=lambda row: row[3])
    error = LimitReachedError(
        limit,
        retry_after=max(1, math.ceil(wait)),
        ends_at=ends_at,
        rate=Rate(allowed, seconds),
    )
    return counted, asked - len(counted), error


def _row(count: Count) -> dict[str, Any]:
    """Return one to count in the shape that `_TAKE` reads."""
    return {
        "name": count.limit,
        "key": count.key,
        "allowed": count.rate.allowed,
        "seconds": count.rate.seconds,
        "ends_at": count.ends_at and count.ends_at.isoformat(),
        "shared": count.is_shared,
    }


# `reached` reads the counters as they were when the statement began; ON CONFLICT reads them as they
# are. now() is the statement's begin: it is its own transaction.
_TAKE = """
WITH quickly AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true), set_config('lock_timeout', %(wait)s, true)
), asked AS MATERIALIZED (
    SELECT wanted.name,
           CASE WHEN wanted.shared THEN floor(%(dice)s * shards)::integer::text ELSE wanted.key END
               AS key,
           ceil(rate.allowed::numeric / shards)::integer AS allowed,
           coalesce(wanted.ends_at, now() + rate.seconds * interval '1 second') AS ends_at,
           rate.seconds
    FROM quickly,
         json_to_recordset(%(wanted)s::json) AS wanted(
             name text, key text, allowed integer, seconds integer, ends_at timestamptz,
             shared boolean
         )
    LEFT JOIN project_limit AS own ON own.name = wanted.name AND own.allowed IS NOT NULL
    CROSS JOIN LATERAL (
        SELECT coalesce(own.allowed, wanted.allowed) AS allowed,
               coalesce(own.seconds, wanted.seconds) AS seconds
    ) AS rate
    CROSS JOIN LATERAL (
        SELECT CASE WHEN wanted.shared
                    THEN greatest(1, least(%(max_shards)s, rate.allowed / %(shard_size)s))
                    ELSE 1 END AS shards
    ) AS spread
    WHERE rate.allowed > 0
), reached AS MATERIALIZED (
    SELECT counter.ends_at, asked.name, asked.allowed, asked.seconds
    FROM asked JOIN project_limitcounter AS counter USING (name, key)
    WHERE counter.ends_at > now() AND counter.used >= asked.allowed
), counted AS (
    INSERT INTO project_limitcounter AS counter (name, key, used, allowed, ends_at)
    SELECT name, key, 1, allowed, ends_at FROM asked
    WHERE NOT EXISTS (SELECT FROM reached)
    ORDER BY name, key
    ON CONFLICT (name, key) DO UPDATE SET
        used = CASE WHEN counter.ends_at <= now() THEN 1 ELSE counter.used + 1 END,
        ends_at = CASE WHEN counter.ends_at <= now() THEN excluded.ends_at
                       ELSE counter.ends_at END,
        allowed = excluded.allowed
    WHERE counter.ends_at <= now() OR counter.used < excluded.allowed
    RETURNING counter.id, counter.ends_at, counter.used, counter.allowed, counter.name
)
SELECT id, counted.ends_at, '', 0, 0, used, counted.allowed, seconds
FROM counted JOIN asked USING (name)
UNION ALL
SELECT NULL, ends_at, name, extract(epoch FROM ends_at - now())::float8, 0, 0, allowed, seconds
FROM reached
UNION ALL
SELECT NULL, NULL, '', 0, count(*), 0, 0, 0 FROM asked
"""

_GIVE_BACK = """
WITH quickly AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true), set_config('lock_timeout', %(wait)s, true)
), given AS (
    SELECT counter.id
    FROM quickly, project_limitcounter AS counter
    JOIN unnest(%(ids)s::bigint[], %(ends)s::timestamptz[]) AS back(id, ends_at)
      ON back.id = counter.id AND back.ends_at = counter.ends_at
    ORDER BY counter.name, counter.key
    FOR NO KEY UPDATE OF counter
)
UPDATE project_limitcounter AS counter SET used = used - 1
FROM given WHERE counter.id = given.id AND counter.used > 0
"""
