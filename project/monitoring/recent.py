"""The audit of every five minutes: it checks what changed since the last clean audit.

Its mark is the last clean audit's `until`, so drift is found again until it is corrected. The mark
moves to `settled_time`, or as far as the audit came in RUN_SECONDS.
"""

import time
from datetime import timedelta

from project.database.clock import database_now
from project.models import AuditRun
from project.monitoring.audit import (
    Findings,
    check,
    record,
    subjects,
    the_only_audit,
)
from project.monitoring.settled import settled_time

RUN_SECONDS = 2.0
"""After that the audit stops at the next page; the next one goes on behind it."""
FIRST_LOOK = timedelta(hours=1)
"""How far it looks back if no clean audit is on record."""


def audit_recent() -> AuditRun:
    """Check what changed since the last clean audit and record the result.

    Raises AuditBusy, at once, while another audit runs.
    """
    with the_only_audit():
        started_at, until = database_now(), settled_time()
        since = AuditRun.objects.mark() or until - FIRST_LOOK
        findings, deadline = Findings(), time.monotonic() + RUN_SECONDS
        for subject in subjects():
            for page in subject.changed(since, database_now()):
                findings.add(check(subject, page.keys))
                if page.until is not None and time.monotonic() > deadline:
                    until = min(until, page.until)
                    break
        return record(
            findings, AuditRun.Scope.RECENT, started_at=started_at, since=since, until=until
        )
