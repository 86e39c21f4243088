"""The test database: how it is made, and its name for processes of their own.

`python -m tests.database RUN` migrates the database that the processes of pytest-xdist copy.
"""

import os
import sys

import django
import psycopg
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

MIGRATED = "test_migrated"
"""The database that the processes of pytest-xdist copy."""


def this_database() -> str:
    """The test database's URL, for a process of its own."""
    server, _, _name = os.environ["DATABASE_URL"].rpartition("/")
    return f"{server}/{connection.settings_dict['NAME']}"


def copy_one_database(*, run: str) -> None:
    """Have this process's test database made as a copy of one that is migrated once a `run`."""
    migrate_once(run=run)
    connection.settings_dict["TEST"]["TEMPLATE"] = MIGRATED


def migrate_once(*, run: str) -> None:
    """Migrate the database to copy, if that isn't done in this run; wait while another does it.

    Migrating takes twenty times as long as copying. A comment on the database, written last, names
    the run. On a server that was given it stays until the next run.
    """
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as session:
        session.execute("SELECT pg_advisory_lock(hashtext(%s))", [MIGRATED])
        if _run_of_migrated(session) != run:
            _migrate()
            comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
            session.execute(comment.format(sql.Identifier(MIGRATED), run))


def answer_before_the_disk_has_it(connection: BaseDatabaseWrapper) -> None:
    """Let no COMMIT in the test database wait: no test reads it after a crash of its server."""
    with connection.cursor() as cursor:
        name = connection.settings_dict["NAME"]
        cursor.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    connection.close()


def _run_of_migrated(session: psycopg.Connection) -> str | None:
    """Return the run that made the database to copy, or None."""
    found = session.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
        [MIGRATED],
    ).fetchone()
    return found[0] if found else None


def _migrate() -> None:
    settings = connection.settings_dict["TEST"]
    names = connection.settings_dict["NAME"], settings["NAME"]
    settings["NAME"] = MIGRATED
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    connection.creation.destroy_test_db(names[0], verbosity=0, keepdb=True)  # only leaves it
    settings["NAME"] = names[1]


if __name__ == "__main__":
    django.setup()
    migrate_once(run=sys.argv[1])
