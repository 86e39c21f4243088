"""Scheduled work of the house. Each task is an idempotent sweep: late or doubled is harmless."""

from datetime import date
from typing import Any
from uuid import UUID

from celery import shared_task
from celery.exceptions import Ignore

from project import audit as auditing
from project import prune as pruning
from project.daily import daily, do_all_due
from project.job_runs import JobError, LostClaimError, NotClaimedError, run_job
from project.models import ManualRun


@shared_task(name="project.tasks.audit")
def audit() -> dict[str, Any]:
    """Check every invariant; the result is kept as an audit run."""
    run = auditing.run_audit()
    drift = {f["name"]: f["violations"] for f in run.findings if f["violations"]}
    return {"clean": run.is_clean, "drift": drift}


@shared_task(name="project.tasks.catch_up")
def catch_up() -> dict[str, Any]:
    """Do the daily work that is due and not done: its own tick was missed, early or cut short."""
    return do_all_due()


@daily("project.tasks.prune")
def prune(day: date) -> dict[str, int]:
    """Delete what has served its time."""
    return pruning.prune()


@shared_task(name="project.tasks.run_now", throws=(JobError,))
def run_now(job_id: str) -> dict[str, Any]:
    """Do what an operator asked for; ignored if another worker owns the job."""
    try:
        return run_job(ManualRun, UUID(job_id))
    except (NotClaimedError, LostClaimError) as error:
        raise Ignore from error
