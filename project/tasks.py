"""Scheduled tasks of the project. Each is idempotent: a late or repeated run is harmless."""

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
    """Do due daily work that isn't done: its own tick was missed, early or interrupted."""
    return do_all_due()


@daily("project.tasks.prune")
def prune(day: date) -> dict[str, int]:
    """Delete old rows (`project.schedule.prune`)."""
    return pruning.prune()


run_now = job_task(ManualRunHandler())
"""Runs scheduled work that an operator asked for."""
