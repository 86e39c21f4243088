"""The shop's Celery tasks: desk jobs, and the scheduled work of `project.schedule`."""

from datetime import date, timedelta
from typing import Any

from celery import shared_task

from orders import retention
from orders.desk_jobs.handler import DeskJobHandler
from orders.lifecycle.expiry import TASK as EXPIRE
from orders.lifecycle.expiry import expire_due
from orders.messages.low_stock import notify_low_stock
from orders.performance.run import run_performance
from orders.placing.upload_store import prune_uploads as pruned
from project.jobs.task import job_task
from project.schedule.daily import daily

retention.register()

work = job_task(DeskJobHandler())
"""Run one desk job and return its result."""


@daily("orders.tasks.prune_uploads")
def prune_uploads(day: date) -> dict[str, int]:
    """Delete the uploads that no order took within a day."""
    return {"uploads": pruned()}


@shared_task(name=EXPIRE)
def expire() -> dict[str, Any]:
    """Cancel the orders that weren't paid in time: one run of the sweep `expire_due`."""
    return {"expired": expire_due()}


@shared_task(name="orders.tasks.low_stock")
def low_stock() -> dict[str, Any]:
    """Notify the staff of products whose stock has fallen to its threshold."""
    return notify_low_stock()


@shared_task(name="orders.tasks.performance")
def performance() -> dict[str, Any]:
    """Measure the shop by synthetic orders: off by default (docs/performance-run.md)."""
    return run_performance()


@daily("orders.tasks.daily_report", catch_up=7)
def daily_report(day: date) -> dict[str, Any]:
    """Mail the figures of the day before `day` to the staff."""
    from orders.reports.daily import send_report  # loads libvips, which only a worker needs

    return send_report(day - timedelta(days=1))
