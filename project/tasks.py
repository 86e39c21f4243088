"""Scheduled work of the house. Each task is an idempotent sweep: late or doubled is harmless."""

from datetime import date
from typing import Any

from celery import shared_task

from project.jobs.task import job_task
from project.monitoring import audit as auditing
from project.schedule import prune as pruning
from project.schedule.daily import daily, do_all_due
from project.schedule.manual_runs import ManualRunHandler


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


run_now = job_task(ManualRunHandler())
"""Does what an operator asked for."""
