"""The audit: it checks invariants that no constraint can state, in one snapshot.

An app states its invariants in `audits.py`. The check takes no locks; a fix locks one counter
after another, and shows each change.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils.module_loading import autodiscover_modules

from project.database.clock import database_now
from project.models import AuditRun

MAX_EXAMPLES = 20
"""The number of violations that a finding names."""


@dataclass(frozen=True)
class Invariant:
    """A statement that must always be true, with its check."""

    name: str
    """English, marked for translation: a finding keeps it, and the desk shows it translated."""
    query: str
    """SQL that returns one row of text per violation; it runs in the audit's snapshot."""
    checked: str
    """SQL that returns the number of rows checked."""
    fix: Callable[[], Iterator[str]] | None = None
    """Corrects drift in transactions of its own and yields each change."""


@dataclass
class Finding:
    """An invariant's figure in one audit."""

    name: str
    checked: int
    violations: int
    examples: list[str] = field(default_factory=list)


_invariants: list[Invariant] = []


def register(invariant: Invariant) -> Invariant:
    """Add an invariant to every audit."""
    _invariants.append(invariant)
    return invariant


def invariants() -> list[Invariant]:
    """Return the invariants of all apps."""
    autodiscover_modules("audits")
    return _invariants


def run_audit() -> AuditRun:
    """Check every invariant in one REPEATABLE READ snapshot and record the result."""
    run = AuditRun(is_clean=True)
    checks = invariants()
    with snapshot() as cursor:
        run.started_at = database_now()
        findings = [check(cursor, invariant) for invariant in checks]
    run.is_clean = not any(finding.violations for finding in findings)
    run.findings = [asdict(finding) for finding in findings]
    run.save()
    return run


@contextmanager
def snapshot() -> Iterator[CursorWrapper]:
    """Open a REPEATABLE READ transaction that reads only; give its cursor."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield cursor


def check(cursor: CursorWrapper, invariant: Invariant) -> Finding:
    """Count the violations that this snapshot shows, and name some of them."""
    cursor.execute(invariant.checked)
    checked = cursor.fetchone()[0]
    cursor.execute(f"SELECT count(*) FROM ({invariant.query}) AS violation")
    violations = cursor.fetchone()[0]
    examples = []
    if violations:
        cursor.execute(f"SELECT * FROM ({invariant.query}) AS violation LIMIT {MAX_EXAMPLES}")
        examples = [str(row[0]) for row in cursor.fetchall()]
    return Finding(invariant.name, checked, violations, examples)
