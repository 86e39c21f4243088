"""Scheduled tasks of the project. Each is idempotent: a late or repeated run is harmless."""

from datetime import date
from typing import Any

from celery import shared_task

from project.backup.run import make_scheduled_backup
from project.jobs.task import job_task
from project.models import AuditRun
from project.monitoring import audit as auditing
from project.monitoring.recent import audit_recent
from project.schedule import prune as pruning
from project.schedule.daily import daily, do_all_due
from project.schedule.manual_runs import ManualRunHandler


@shared_task(name="project.tasks.audit")
def audit() -> dict[str, Any]:
    """Check what changed since the last clean audit, unless another audit runs."""
    try:
        return _outcome(audit_recent())
    except auditing.AuditBusy as busy:
        return {"skipped": str(busy)}


@daily("project.tasks.audit_all")
def audit_all(day: date) -> dict[str, Any]:
    """Check everything; go on where an interrupted audit of today stopped."""
    return _outcome(auditing.run_audit(go_on=True))


def _outcome(run: AuditRun) -> dict[str, Any]:
    drift = {f["name"]: f["violations"] for f in run.findings if f["violations"]}
    return {"clean": run.is_clean, "drift": drift}


@shared_task(name="project.tasks.catch_up")
def catch_up() -> dict[str, Any]:
    """Do due daily work that isn't done: its own tick was missed, early or interrupted."""
    return do_all_due()


@daily("project.tasks.prune")
def prune(day: date) -> dict[str, int]:
    """Delete old rows (`project.schedule.prune`)."""
    return pruning.prune()


@daily("project.tasks.backup")
def backup(day: date) -> dict[str, Any]:
    """Back up database and media into BACKUP_FOLDER: off by default (docs/backup.md)."""
    return make_scheduled_backup()


run_now = job_task(ManualRunHandler())
"""Runs scheduled work that an operator asked for."""
