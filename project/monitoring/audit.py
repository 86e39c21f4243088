"""The audit: it checks invariants that no constraint can state.

An app states its subjects (what is checked: orders, products, accounts) and their invariants in
`audits`. An audit walks over the keys of each subject, some thousands a step. A step is one short
snapshot, in which all invariants of its keys are checked: so a commit meanwhile is seen by all of
them or by none, and no snapshot is old enough to hold back vacuum.

`run_audit` checks everything, `audit_recent` what changed since the last clean audit
(`project.monitoring.recent`). The check takes no locks; a fix locks one counter after another,
and shows each change.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils.module_loading import autodiscover_modules

from project.database.advisory_lock import try_lock
from project.database.arrays import array_literal
from project.database.clock import database_now
from project.models import AuditProgress, AuditRun
from project.monitoring.settled import settled_time

MAX_EXAMPLES = 20
"""The number of violations that a finding names."""
STEP_SECONDS = 0.5
"""A step's length: pages grow while steps are shorter, and shrink while they are longer."""
MIN_PAGE, FIRST_PAGE, MAX_PAGE = 10, 500, 8000
"""Keys of a step."""
GO_ON_WITHIN = timedelta(hours=12)
"""An interrupted audit goes on within that time; later it begins anew."""
_LOCK = 0x7E7EA0D1
"""The advisory lock's key: one audit at a time, of either kind."""
PATIENCE = 60.0
"""Seconds for which an audit of everything waits for another audit."""

Key = Any
"""A number or a UUID."""
THESE = "/* these keys */"
"""Stands behind a column in SQL, for the condition that it is one of the keys: see `with_keys`."""


class Stretch(list[Key]):
    """All keys of a subject from the first to the last, in their order.

    They are looked up as a range, in one walk along each index: half the time of a list, which
    PostgreSQL plans key by key.
    """


class Changed(NamedTuple):
    """Keys that changed, as one page of `Subject.changed`."""

    keys: Sequence[Key]
    until: datetime | None = None
    """The pages up to this one hold all that changed before; None: the page says nothing of it."""


@dataclass(frozen=True)
class Subject:
    """What invariants are about. The audit walks over its keys."""

    name: str
    keys: Sequence[tuple[str, str]]
    """The tables and columns that hold its keys, each with an index of them."""
    type: str
    """PostgreSQL's name of the keys' type."""
    first: Key
    """A key before all others."""
    changed: Callable[[datetime, datetime], Iterator[Changed]]
    """Returns the keys that may have changed between two times, page by page."""
    note_checked: Callable[[datetime | None, datetime], None] | None = None
    """Called in the transaction that moves the mark, with the old one (if any) and the new one."""


@dataclass(frozen=True)
class Invariant:
    """A statement that must always be true, with its check."""

    name: str
    """English, marked for translation: a finding keeps it, and the desk shows it translated."""
    subject: Subject
    query: str
    """SQL that returns one row of text per violation, among THESE keys."""
    checked: str
    """SQL that returns the number of rows checked, of THESE keys."""
    fix: Callable[[Sequence[Key]], Iterator[str]] | None = None
    """Corrects the drift of these keys in transactions of its own and yields each change."""


@dataclass
class Finding:
    """An invariant's figure in one audit."""

    name: str
    checked: int = 0
    violations: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, other: "Finding") -> None:
        """Add the figure of another step."""
        self.checked += other.checked
        self.violations += other.violations
        self.examples = (self.examples + other.examples)[:MAX_EXAMPLES]


class AuditBusy(Exception):
    """Another audit is running."""


_subjects: list[Subject] = []
_invariants: list[Invariant] = []


def register_subject(subject: Subject) -> Subject:
    """Add a subject to every audit; they are walked over in the order of registration."""
    _subjects.append(subject)
    return subject


def register(invariant: Invariant) -> Invariant:
    """Add an invariant to every audit."""
    _invariants.append(invariant)
    return invariant


def invariants() -> list[Invariant]:
    """Return the invariants of all apps."""
    autodiscover_modules("audits")
    return _invariants


def subjects() -> list[Subject]:
    """Return the subjects of all apps."""
    autodiscover_modules("audits")
    return _subjects


class Findings:
    """The figures of an audit so far, by invariant."""

    def __init__(self, known: Sequence[dict[str, Any]] = ()) -> None:
        self._by_name = {invariant.name: Finding(invariant.name) for invariant in invariants()}
        for finding in known:
            if finding["name"] in self._by_name:
                self._by_name[finding["name"]] = Finding(**finding)

    def add(self, step: Sequence[Finding]) -> None:
        for finding in step:
            self._by_name[finding.name].add(finding)

    @property
    def are_clean(self) -> bool:
        return not any(finding.violations for finding in self._by_name.values())

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(finding) for finding in self._by_name.values()]


def run_audit(*, fix: Callable[[str], object] | None = None, go_on: bool = False) -> AuditRun:
    """Check every invariant of everything, in steps, and record the result.

    `fix`: also correct what a step finds, and call it with each change; the result is the check
    after it. What is corrected is committed step by step, so the next run has less to do.
    `go_on`: begin where an interrupted audit stopped. Raises AuditBusy while another one runs.
    """
    with the_only_audit(patience=PATIENCE):
        progress = _begin(go_on=go_on)
        findings = Findings(progress.findings)
        names = [subject.name for subject in subjects()]
        for subject in subjects()[names.index(progress.subject or names[0]) :]:
            after = progress.after if subject.name == progress.subject else None
            for page, step in _walk(subject, after, fix=fix):
                findings.add(step)
                progress.keep(subject=subject.name, after=page[-1], findings=findings.as_json())
        with transaction.atomic():
            progress.delete()
            return record(
                findings,
                AuditRun.Scope.ALL,
                started_at=progress.started_at,
                since=AuditRun.objects.mark(),
                until=progress.until,
            )


def _begin(*, go_on: bool) -> AuditProgress:
    until = settled_time()
    names = {subject.name for subject in subjects()}
    stopped = AuditProgress.objects.filter(started_at__gt=database_now() - GO_ON_WITHIN).first()
    if go_on and stopped and (not stopped.subject or stopped.subject in names):
        return stopped
    AuditProgress.objects.all().delete()
    progress = AuditProgress.objects.create(until=until)
    progress.refresh_from_db()
    return progress


def _walk(
    subject: Subject, after: Key | None, *, fix: Callable[[str], object] | None
) -> Iterator[tuple[Sequence[Key], list[Finding]]]:
    """Check all keys of the subject behind `after`; give each page with its figures."""
    after, size = after or subject.first, FIRST_PAGE
    while page := _read_page(subject, after, size):
        began = time.monotonic()
        step = check(subject, page)
        if fix is not None and _correct(step, page, fix):
            step = check(subject, page)
        yield page, step
        after, size = page[-1], next_size(size, time.monotonic() - began)


def next_size(size: int, seconds: float) -> int:
    """Return the size of the next page, after one of this size took so many seconds."""
    if seconds < STEP_SECONDS / 2:
        return min(2 * size, MAX_PAGE)
    return max(size // 2, MIN_PAGE) if seconds > STEP_SECONDS else size


def _read_page(subject: Subject, after: Key, size: int) -> Stretch:
    """Return the next keys, as far as the pages of all tables reach.

    A statement per table: one for their union would sort all keys for each page.
    """
    found: set[Key] = set()
    last: Key = None
    with connection.cursor() as cursor:
        for table, column in subject.keys:
            cursor.execute(
                f"SELECT DISTINCT {column} FROM {table} WHERE {column} > %s"
                f" ORDER BY {column} LIMIT %s",
                [str(after), size],
            )
            page = [row[0] for row in cursor.fetchall()]
            found.update(page)
            if len(page) == size:
                last = page[-1] if last is None else min(last, page[-1])
    return Stretch(sorted(key for key in found if last is None or key <= last))


def _correct(step: list[Finding], keys: Sequence[Key], show: Callable[[str], object]) -> bool:
    """Correct what can be corrected; return whether there was anything."""
    drifted = {finding.name for finding in step if finding.violations}
    fixes = [each.fix for each in invariants() if each.name in drifted and each.fix is not None]
    for fix in fixes:
        for change in fix(keys):
            show(change)
    return bool(fixes)


def check(subject: Subject, keys: Sequence[Key]) -> list[Finding]:
    """Check the subject's invariants for these keys in one snapshot."""
    with snapshot() as cursor:
        if isinstance(keys, Stretch):
            # The planner takes a range of UUIDs between two values of its histogram for one row,
            # and would compare each row with each by nested loops.
            cursor.execute("SET LOCAL enable_nestloop = off")
        return check_in(cursor, subject, keys)


def check_in(cursor: CursorWrapper, subject: Subject, keys: Sequence[Key]) -> list[Finding]:
    """Check the subject's invariants for these keys in the snapshot of `cursor`."""
    counted: dict[str, int] = {}
    """The number of rows by the SQL that counts them: several invariants share it."""
    findings = []
    for invariant in invariants():
        if invariant.subject is subject:
            if invariant.checked not in counted:
                cursor.execute(*with_keys(invariant.checked, subject, keys))
                counted[invariant.checked] = cursor.fetchone()[0]
            findings.append(_check(cursor, invariant, keys, checked=counted[invariant.checked]))
    return findings


def _check(
    cursor: CursorWrapper, invariant: Invariant, keys: Sequence[Key], *, checked: int
) -> Finding:
    cursor.execute(
        *with_keys(
            f"SELECT words, count(*) OVER () FROM ({invariant.query}) AS violation (words)"
            f" LIMIT {MAX_EXAMPLES}",
            invariant.subject,
            keys,
        )
    )
    rows = cursor.fetchall()
    return Finding(
        invariant.name, checked, rows[0][1] if rows else 0, [str(words) for words, _count in rows]
    )


def with_keys(sql: str, subject: Subject, keys: Sequence[Key]) -> tuple[str, dict[str, Any]]:
    """Return the SQL with the condition for these keys, and its parameters."""
    if isinstance(keys, Stretch):
        return (
            sql.replace(THESE, f"BETWEEN %(first)s::{subject.type} AND %(last)s::{subject.type}"),
            {"first": str(keys[0]), "last": str(keys[-1])},
        )
    return sql.replace(THESE, f"= ANY(%(keys)s::{subject.type}[])"), {"keys": array_literal(keys)}


@contextmanager
def snapshot() -> Iterator[CursorWrapper]:
    """Open a REPEATABLE READ transaction that reads only; give its cursor."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield cursor


@contextmanager
def the_only_audit(*, patience: float = 0.0) -> Iterator[None]:
    """Hold the audits' lock for the block. Raises AuditBusy if another one holds it for longer."""
    deadline = time.monotonic() + patience
    while True:
        with try_lock(_LOCK) as alone:
            if alone:
                yield
                return
        if time.monotonic() >= deadline:
            raise AuditBusy("another audit is running")
        time.sleep(0.2)


def record(
    findings: Findings,
    scope: AuditRun.Scope,
    *,
    started_at: datetime,
    since: datetime | None,
    until: datetime,
) -> AuditRun:
    """Record an audit. If it is clean, the mark moves from `since` to `until`, never back."""
    with transaction.atomic():
        if findings.are_clean:
            until = max(until, since or until)
            for subject in subjects():
                if subject.note_checked is not None:
                    subject.note_checked(since, until)
        return AuditRun.objects.create(
            scope=scope,
            is_clean=findings.are_clean,
            findings=findings.as_json(),
            started_at=started_at,
            until=until,
        )
