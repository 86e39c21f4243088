"""The database as it is at one moment: rows are counted and dumped by one snapshot.

A session of its own exports the snapshot, and pg_dump takes it. So tables with values that are
left out, which are read by COPY, fit all others to the row. Orders go on meanwhile.
"""

import gzip
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from project.backup.errors import BackupError
from project.backup.programs import Programs, last_words, parameters_of_database, programs
from project.backup.rules import Rules
from project.database.run_schema import SCHEMA

DUMP = "database.dump"
COPIED = ".copy.gz"
"""The end of the files with the rows of tables of which values are left out."""


_UNBOUNDED = """
    SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN (
        'idle_in_transaction_session_timeout', 'statement_timeout', 'transaction_timeout')
"""
"""The session waits for pg_dump, however long that takes."""


@dataclass
class Snapshot:
    """An open snapshot of the shop's database."""

    session: psycopg.Connection[Any]
    name: str
    """By which other sessions take it."""
    made_at: str
    programs: Programs
    rules: Rules
    tables: list[str] = field(default_factory=list)

    @property
    def server(self) -> int:
        return self.session.info.server_version

    def one(self, query: Any) -> Any:
        row = self.session.execute(query).fetchone()
        assert row is not None
        return row[0]

    def count_rows(self) -> dict[str, int]:
        """Return the number of rows that the backup has of each table."""
        return {
            table: 0
            if table in self.rules.without_rows
            else self.one(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
            for table in self.tables
        }

    def migrations(self) -> dict[str, list[str]]:
        """Return the applied migrations by app."""
        found: dict[str, list[str]] = {}
        query = "SELECT app, name FROM django_migrations ORDER BY app, name"
        for app, name in self.session.execute(query):
            found.setdefault(app, []).append(name)
        return found

    def dump(self, folder: Path) -> None:
        """Write the dump, and the files of the tables whose rows it doesn't have."""
        _dump(self, folder / DUMP)
        for table in sorted(self.rules.replaced.keys() & {*self.tables}):
            _copy_rows(self, table, folder / f"{table}{COPIED}")


@contextmanager
def open_snapshot(rules: Rules) -> Iterator[Snapshot]:
    """Yield a snapshot of what is committed now."""
    with psycopg.connect(**parameters_of_database(), autocommit=True) as session:
        session.execute(_UNBOUNDED)
        session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        exported = session.execute(
            "SELECT pg_export_snapshot(), now(), current_schema()"
        ).fetchone()
        assert exported is not None
        name, now, schema = exported
        # The server that was reached: of several, all programs must ask the same one.
        info = session.info
        found = programs(host=info.host, port=info.port, server=info.server_version)
        snapshot = Snapshot(session, name, now.isoformat(), found, rules)
        listed = session.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = %s::regnamespace"
            " ORDER BY relname",
            [schema],
        )
        snapshot.tables = [row[0] for row in listed]
        yield snapshot


def _dump(snapshot: Snapshot, path: Path) -> None:
    """Write pg_dump's file, which pg_restore reads."""
    without = sorted(snapshot.rules.without_rows | snapshot.rules.replaced.keys())
    argv = snapshot.programs.argv(
        "pg_dump",
        *("--format=custom", f"--snapshot={snapshot.name}", f"--file={path}"),
        # The restored shop may have another user, and rights and comments are the server's.
        *("--no-owner", "--no-privileges", "--no-comments", "--no-publications"),
        *("--no-subscriptions", "--no-password", f"--exclude-schema={SCHEMA}"),
        *(f'--exclude-table-data="{table}"' for table in without),
        f"--dbname={snapshot.programs.address}",
    )
    done = subprocess.run(
        argv,
        env=snapshot.programs.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode != 0:
        raise BackupError(f"The database can't be dumped: {last_words(done.stderr)}")
    _sync(path)


def _copy_rows(snapshot: Snapshot, table: str, path: Path) -> None:
    """Write the rows of a table as COPY's text, with expressions instead of some columns.

    The first line has the names of the columns.
    """
    replaced = snapshot.rules.replaced[table]
    columns = [
        row[0]
        for row in snapshot.session.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
            [f'"{table}"'],
        )
    ]
    values = sql.SQL(", ").join(
        sql.SQL(replaced[name]) if name in replaced else sql.Identifier(name) for name in columns
    )
    query = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(values, sql.Identifier(table))
    with gzip.open(path, "wb", compresslevel=4) as file, snapshot.session.cursor() as cursor:
        file.write(f"{','.join(columns)}\n".encode())
        with cursor.copy(query) as rows:
            for piece in rows:
                file.write(bytes(piece))
    _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
