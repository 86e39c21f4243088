"""The restored database as one SQL script, in one transaction: all of it is there, or nothing.

psql runs it: the tables, their rows from the dump and from the files of COPY, constraints and
indexes, the rules for a restored shop, and the proof that each table has its rows.
"""

import gzip
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from project.backup.errors import BackupError
from project.backup.manifest import PIECE, Manifest
from project.backup.programs import Programs, last_words
from project.backup.rules import rules
from project.backup.snapshot import COPIED, DUMP
from project.database.run_schema import SCHEMA
from project.jobs.model import job_models

_DROP = """
DO $$
DECLARE found record;
BEGIN
    DROP SCHEMA IF EXISTS {run} CASCADE;
    FOR found IN
        SELECT oid::regclass AS name,
               CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                            ELSE 'TABLE' END AS kind
        FROM pg_class
        WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace = '{schema}'::regnamespace
    LOOP
        EXECUTE format('DROP %s IF EXISTS %s CASCADE', found.kind, found.name);
    END LOOP;
    FOR found IN
        SELECT oid::regclass AS name FROM pg_class
        WHERE relkind = 'S' AND relnamespace = '{schema}'::regnamespace
    LOOP
        EXECUTE format('DROP SEQUENCE IF EXISTS %s CASCADE', found.name);
    END LOOP;
    FOR found IN
        SELECT oid::regprocedure AS name FROM pg_proc AS routine
        WHERE pronamespace = '{schema}'::regnamespace AND NOT EXISTS (
            SELECT FROM pg_depend WHERE objid = routine.oid AND deptype = 'e')
    LOOP
        EXECUTE format('DROP ROUTINE IF EXISTS %s CASCADE', found.name);
    END LOOP;
END $$;
"""


def restore_database(
    folder: Path, manifest: Manifest, programs: Programs, *, schema: str, replace: bool
) -> None:
    """Restore the database of the backup in this folder.

    `replace`: first drop what the schema has. Raises BackupError, and then nothing has changed.
    """
    with TemporaryFile() as words:
        psql = subprocess.Popen(
            programs.argv(
                "psql",
                *("--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1"),
                f"--dbname={programs.address}",
            ),
            env=programs.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=words,
        )
        assert psql.stdin is not None
        try:
            _write(psql.stdin, folder, manifest, programs, schema=schema, replace=replace)
        except BrokenPipeError:
            pass  # psql has ended, and says why
        except BaseException:
            psql.kill()  # before the COMMIT
            raise
        finally:
            # Else its end would be tried again, and fail again, when the file is collected.
            try:
                psql.stdin.close()
            except BrokenPipeError:
                pass
            code = psql.wait()
        words.seek(0)
        if code != 0:
            raise BackupError(
                f"The database can't be restored, and is as it was: {last_words(words.read())}"
            )


def _write(
    script: IO[bytes],
    folder: Path,
    manifest: Manifest,
    programs: Programs,
    *,
    schema: str,
    replace: bool,
) -> None:
    def say(text: str) -> None:
        script.write(f"{text}\n".encode())
        script.flush()

    say("BEGIN;")
    if replace:
        say(_DROP.format(schema=schema, run=SCHEMA))
    # Foreign keys are made when all rows are there.
    for section in ("pre-data", "data"):
        _write_section(script, section, folder, programs)
    say(f"SET LOCAL search_path = {schema};")
    for name in sorted(manifest.files):
        if name.endswith(COPIED):
            _write_rows(script, folder / name)
    for statement in (*rules().on_restore, *queue_interrupted()):
        say(f"{statement};")
    _write_section(script, "post-data", folder, programs)
    say(f"SET LOCAL search_path = {schema};")
    say("\n".join(_count_rows(manifest)))
    say("COMMIT;")


def _write_section(script: IO[bytes], section: str, folder: Path, programs: Programs) -> None:
    """Write a part of the dump."""
    with TemporaryFile() as words:
        done = subprocess.run(
            programs.argv(
                "pg_restore",
                *(f"--section={section}", "--no-owner", "--no-privileges", "--file=-"),
                str(folder / DUMP),
            ),
            stdin=subprocess.DEVNULL,
            stdout=script,
            stderr=words,
            check=False,
        )
        words.seek(0)
        if done.returncode > 0:
            raise BackupError(f"The dump can't be read: {last_words(words.read())}")
    if done.returncode < 0:  # by SIGPIPE: psql has ended
        raise BrokenPipeError


def _write_rows(script: IO[bytes], path: Path) -> None:
    """Write the rows of a table of which values are left out."""
    table = path.name.removesuffix(COPIED)
    with gzip.open(path, "rb") as rows:
        names = rows.readline().decode().strip().split(",")
        columns = ", ".join(f'"{name}"' for name in names)
        script.write(f'COPY "{table}" ({columns}) FROM stdin;\n'.encode())
        while piece := rows.read(PIECE):
            script.write(piece)
    script.write(b"\\.\n")
    script.flush()


def queue_interrupted() -> Iterator[str]:
    """Give the statements that end the claims of the old shop's workers.

    Their jobs may be claimed again, under a new token. They come after the rules of the apps,
    which take out what must not be done twice.
    """
    for model in job_models():
        yield (
            f"UPDATE {model._meta.db_table} SET status = 'queued', token = NULL,"
            " lease_until = NULL, rings = 0, run_after = now(), ring_after = now()"
            " WHERE status = 'running'"
        )


def _count_rows(manifest: Manifest) -> Iterator[str]:
    """Give a block that fails unless each table has the rows of the manifest."""
    yield "DO $$ DECLARE found bigint; BEGIN"
    for table, rows in manifest.rows.items():
        yield (
            f'SELECT count(*) INTO found FROM "{table}"; IF found <> {rows:d} THEN RAISE EXCEPTION'
            f" 'the backup has {rows:d} rows of {table}, and % were restored', found; END IF;"
        )
    yield "END $$;"
