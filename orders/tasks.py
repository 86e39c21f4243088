"""The shop's Celery tasks: desk jobs, and the scheduled work of `project.schedule`."""

from datetime import date, timedelta
from typing import Any

from celery import shared_task

from orders.accounts.sessions import ended_sessions
from orders.accounts.unconfirmed import unconfirmed_accounts
from orders.carts.cart import abandoned_carts, drop_abandoned, old_clearings
from orders.desk_jobs.handler import DeskJobHandler
from orders.lifecycle.expiry import TASK as EXPIRE
from orders.lifecycle.expiry import expire_due
from orders.messages.low_stock import notify_low_stock
from orders.messages.waiting_list import old_entries, old_restocks, unconfirmed_entries
from orders.placing.upload_store import prune_uploads as pruned
from orders.quotes.keeping import old_answers
from orders.reports.quarters import old_quarters
from orders.shop.drafts import old_drafts
from project.jobs.task import job_task
from project.schedule.daily import daily
from project.schedule.prune import Old, prune_also

prune_also("unconfirmed accounts", lambda: Old(unconfirmed_accounts()))
prune_also("abandoned carts", lambda: Old(abandoned_carts(), by="changed_at", prune=drop_abandoned))
prune_also("old clearings of carts", lambda: Old(old_clearings(), by="created_at"))
prune_also("checkout drafts", lambda: Old(old_drafts(), by="changed_at"))
prune_also("ended sessions", lambda: Old(ended_sessions()))
prune_also("carriers' answers", lambda: Old(old_answers(), by="asked_at"))
prune_also("unconfirmed waiting list entries", lambda: Old(unconfirmed_entries(), by="created_at"))
prune_also("waiting list entries", lambda: Old(old_entries(), by="created_at"))
prune_also("restocks", lambda: Old(old_restocks(), by="ended_at"))
prune_also("sales quarters", lambda: Old(old_quarters()))

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


@daily("orders.tasks.daily_report", catch_up=7)
def daily_report(day: date) -> dict[str, Any]:
    """Mail the figures of the day before `day` to the staff."""
    from orders.reports.daily import send_report  # loads libvips, which only a worker needs

    return send_report(day - timedelta(days=1))
