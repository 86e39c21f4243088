"""Finds a connection pooler, such as PgBouncer, between us and PostgreSQL.

One that gives each transaction another session is refused: Debian's PgBouncer 1.18 lets one client
run another's prepared statement, timeouts are lost or somebody else's, and LISTEN hears nothing.
Writers, relay and workers need sessions of their own. Only pages may go through such a pooler: see
PAGES_DATABASE_URL.
"""

import logging
from enum import Enum, auto
from typing import Any

import psycopg
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db import connections
from django.utils.connection import ConnectionDoesNotExist

logger = logging.getLogger(__name__)

TRIES = 5
"""Between two clients of ours another program's may get the session that we look for."""
BOUNDS = ("lock_timeout", "statement_timeout")
_DIRECT = (
    "Let DATABASE_URL name PostgreSQL itself, or a pooler in session mode that keeps the timeouts"
    " (docs/production.md, Poolers). Pages may go through this one: PAGES_DATABASE_URL."
)
_BOUNDED = (
    "Give them to the role that the pooler signs in with: ALTER ROLE … SET lock_timeout = '5s' and"
    " SET statement_timeout = '15s' (docs/production.md, Poolers)."
)


class Sessions(Enum):
    """What stands between a client and its session."""

    OWN = auto()
    """Nothing."""
    POOLED = auto()
    """A pooler, which leaves each client one session for as long as it is connected."""
    SHARED = auto()
    """A pooler, which gives each transaction or statement one that is free."""


def sessions_of(parameters: dict[str, Any]) -> Sessions:
    """Connect twice, by libpq's parameters, and tell whose the sessions are.

    PostgreSQL tells its client the number of the process that serves it; a pooler tells a number
    of its own, since the process may be another one next time. Raises psycopg.Error without a
    server.
    """
    with _connect(parameters) as first, _connect(parameters) as second:
        if _process(first) == first.info.backend_pid:
            return Sessions.OWN
        try:
            for _try in range(TRIES):
                before = _process(first)
                with second.transaction():
                    if _process(second) == before or _process(first) != before:
                        return Sessions.SHARED
        except psycopg.DatabaseError:
            return Sessions.SHARED  # of a statement: there are no transactions
    return Sessions.POOLED


def _connect(parameters: dict[str, Any]) -> psycopg.Connection[Any]:
    return psycopg.connect(**parameters, autocommit=True, prepare_threshold=None)


def _process(session: psycopg.Connection[Any]) -> int:
    row = session.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])


def check_poolers(databases: Any = None, **_options: Any) -> list[CheckMessage]:
    """Find poolers where they lose work, and timeouts that one has dropped.

    A server that can't be reached now isn't looked at: what waits for it goes on waiting.
    """
    found: list[CheckMessage] = []
    for alias in databases or ():
        try:
            found += _check(alias)
        except ConnectionDoesNotExist:
            continue
        except psycopg.Error as error:
            if "startup parameter" in str(error):  # PgBouncer's words: it would drop the timeouts
                found.append(_refusal("a pooler that refuses the timeouts of our sessions"))
            else:
                logger.warning("no look for a pooler before %s: %s", alias, error)
    return found


def _check(alias: str) -> list[CheckMessage]:
    options = connections[alias].get_connection_params()
    parameters = {
        name: value
        for name, value in options.items()
        if name not in ("context", "cursor_factory", "prepare_threshold")
    }
    is_for_pages = settings.DATABASES[alias].get("DISABLE_SERVER_SIDE_CURSORS", False)
    sessions = sessions_of(parameters)
    if sessions is Sessions.OWN:
        return []
    if sessions is Sessions.SHARED and not is_for_pages:
        return [_refusal("a pooler that gives each transaction another session")]
    # Relay and workers set the bounds of their sessions themselves.
    if (is_for_pages or "options" in parameters) and (unbounded := _unbounded(parameters)):
        return [
            Error(
                f"Behind the pooler there is no {' and no '.join(unbounded)}: what waits for a"
                " lock could wait for ever.",
                hint=_BOUNDED,
                id="project.E006",
            )
        ]
    return []


def _refusal(what: str) -> CheckMessage:
    return Error(
        f"DATABASE_URL leads to {what}: orders and jobs could be lost.",
        hint=_DIRECT,
        id="project.E005",
    )


def _unbounded(parameters: dict[str, Any]) -> list[str]:
    """Return the bounds that a session behind this pooler doesn't have."""
    with _connect(parameters) as session:
        return [
            name
            for name in BOUNDS
            if session.execute("SELECT current_setting(%s)", [name]).fetchone() == ("0",)
        ]
