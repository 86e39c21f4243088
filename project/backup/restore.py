"""A shop from a backup: what is refused, then the media, the database, and the steps after it."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader

from project.backup.errors import BackupError
from project.backup.manifest import Manifest, verify_files
from project.backup.media import LIST, read_list, restore_media
from project.backup.place import Place, open_backup
from project.backup.programs import programs
from project.backup.rules import Restoring, rules
from project.backup.run import LOCK
from project.backup.script import restore_database
from project.database.advisory_lock import try_lock
from project.models import AuditRun
from project.monitoring.audit import run_audit
from project.schedule.daily import skip_due


def restore_backup(where: str | Path, *, replace: bool, say: Callable[[str], object]) -> AuditRun:
    """Restore this backup, or the newest one of a folder or prefix; return the audit after it.

    The shop's processes must not run. `replace`: what the database has is dropped. Raises
    BackupError; the database is unchanged then, unless a migration failed.
    """
    with open_backup(str(where)) as (place, name):
        try:
            return _restore_from(place, name, replace=replace, say=say)
        except BackupError as error:
            raise BackupError(place.shown(str(error))) from error


def _restore_from(
    place: Place, name: str, *, replace: bool, say: Callable[[str], object]
) -> AuditRun:
    try:
        manifest = place.manifest_of(name)
    except OSError as error:
        raise BackupError(f"The manifest of {name} can't be read: {error}.") from error
    refuse_newer(manifest)
    with try_lock(LOCK, using="writer") as alone:
        if not alone:
            raise BackupError("A backup is being made or restored: wait for its end.")
        refuse_running()
        if not replace:
            refuse_filled()
        say(f"Restoring {name}, of {manifest.made_at} …")
        folder = _files_of(place, name, manifest)
        restoring = Restoring(
            backups=place, made_at=datetime.fromisoformat(manifest.made_at), say=say
        )
        if replace:
            for step in rules().before_replacing:
                step(restoring)
        _restore(place, folder, manifest, replace=replace, say=say)
    say("Migrating …")
    call_command("migrate", interactive=False, verbosity=0)
    skip_due()
    for step in rules().after_restore:
        step(restoring)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    say("Auditing …")
    return run_audit()


def _files_of(place: Place, name: str, manifest: Manifest) -> Path:
    """Return a folder with the backup's files, which are as they were written."""
    try:
        folder = place.files_of(name, manifest)
    except OSError as error:
        raise BackupError(
            f"The files of {name} can't be read ({error}): restore another backup."
        ) from error
    verify_files(folder, manifest)
    return folder


def refuse_newer(manifest: Manifest) -> None:
    """Raise BackupError if the backup has migrations that this version doesn't know."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    known = set(loader.disk_migrations)
    known |= {each for found in loader.disk_migrations.values() for each in found.replaces}
    applied = {(app, name) for app, names in manifest.migrations.items() for name in names}
    if unknown := sorted(applied - known):
        app, name = unknown[0]
        raise BackupError(
            f"The backup was made by another Tandem ({manifest.version}) with {len(unknown)}"
            f" migrations that this one lacks, such as {app}.{name}: restore it with that version,"
            " or a later one."
        )


def refuse_running() -> None:
    """Raise BackupError while other sessions use the database: web, relay, workers or beat."""
    ours = [
        each.connection.info.backend_pid
        for each in connections.all(initialized_only=True)
        if each.connection is not None
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            " AND pid <> ALL (%s)",
            [ours],
        )
        others: int = cursor.fetchone()[0]
    if others:
        raise BackupError(
            f"{others} other sessions use the database: stop web, relay, workers, beat and every"
            " other command, and restore again."
        )


def refuse_filled() -> None:
    """Raise BackupError unless the database has no table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
            " AND relkind IN ('r', 'p', 'v', 'm', 'S')"
        )
        tables: int = cursor.fetchone()[0]
    if tables:
        raise BackupError(
            "The database isn't empty: name an empty one in DATABASE_URL. --replace drops all that"
            " this one has, and restores the backup in its place."
        )


def _restore(
    place: Place, folder: Path, manifest: Manifest, *, replace: bool, say: Callable[[str], object]
) -> None:
    """Restore the media and the database: the media first, for a shop is known by its rows."""
    connection.ensure_connection()
    info = connection.connection.info
    found = programs(host=info.host, port=info.port, server=info.server_version)
    if info.server_version // 10_000 < manifest.postgresql // 10_000:
        raise BackupError(
            f"The backup is of PostgreSQL {manifest.postgresql // 10_000}, and the server is"
            f" {info.server_version // 10_000}: restore it into version"
            f" {manifest.postgresql // 10_000} or newer."
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        schema: str = cursor.fetchone()[0]
    files = read_list(folder / LIST)
    say(f"{len(files)} media files …")
    try:
        restore_media(place.contents, files)
    except OSError as error:
        raise BackupError(
            f"The media can't be restored, and the database is as it was: {error}. Look at"
            " MEDIA_STORAGE, and restore again."
        ) from error
    say(f"{sum(manifest.rows.values())} rows …")
    restore_database(folder, manifest, found, schema=schema, replace=replace)
