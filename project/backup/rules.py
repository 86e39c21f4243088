"""What a backup leaves out, and what is changed in a restored shop. Apps say it in `backup_rules`.

A backup has no secret that opens anything: no password, no key of a second factor, no session, no
code. A restored shop knows only what was before the backup. What may have happened since then
isn't done again by itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.module_loading import autodiscover_modules

from project.backup.place import Place


@dataclass(frozen=True)
class Restoring:
    """A restore, for the steps of the apps around it."""

    backups: Place
    """The place of all backups."""
    made_at: datetime
    """The moment of the backup."""
    say: Callable[[str], object]


Step = Callable[[Restoring], None]


@dataclass(frozen=True)
class Rules:
    """The rules of all apps."""

    without_rows: set[str] = field(default_factory=set)
    """Tables whose rows no backup has: they are empty in a restored shop."""
    replaced: dict[str, dict[str, str]] = field(default_factory=dict)
    """By table and column, the SQL expression that a backup has instead of the column's values."""
    on_restore: list[str] = field(default_factory=list)
    """SQL for the transaction that restores the rows."""
    before_replacing: list[Step] = field(default_factory=list)
    after_restore: list[Step] = field(default_factory=list)


_rules = Rules()


def leave_out_rows(*tables: str) -> None:
    """Keep the rows of these tables out of every backup."""
    _rules.without_rows.update(tables)


def replace_values(table: str, **expressions: str) -> None:
    """Let every backup have these SQL expressions instead of the values of the columns."""
    _rules.replaced.setdefault(table, {}).update(expressions)


def on_restore(*statements: str) -> None:
    """Run these SQL statements in each restored shop, in the transaction that restores its rows.

    They run before the migrations, so they use only columns that a backup of an earlier version
    has as well.
    """
    _rules.on_restore.extend(statements)


def before_replacing(step: Step) -> None:
    """Call this before a restore drops what the database has, to keep what the backup can't know.

    The database may be of another version: what it lacks must not stop the restore.
    """
    _rules.before_replacing.append(step)


def after_restore(step: Step) -> None:
    """Call this in each restored shop once it is migrated."""
    _rules.after_restore.append(step)


def rules() -> Rules:
    """Return the rules of all apps."""
    autodiscover_modules("backup_rules")
    return _rules


def quoted(values: Sequence[str]) -> str:
    """Return names of ours as a list of SQL literals."""
    return ", ".join("'{}'".format(value.replace("'", "''")) for value in values)
