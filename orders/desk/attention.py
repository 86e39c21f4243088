"""What needs somebody: each figure of the overview with the list that it counts."""

from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from orders.desk.order_filters import is_overdue, is_owed_money, unsent_to_trouble
from orders.models import Order
from project.desk.job_errors import error_groups
from project.desk.jobs import job_admins
from project.desk.row_counts import add_counts, count_each
from project.jobs.queryset import Status

MOST_COUNTED = 200
MOST_ERRORS = 5


@dataclass(frozen=True)
class Task:
    """Something that waits for a person."""

    name: str
    words: str | Promise
    count: int
    url: str
    is_urgent: bool = False


@dataclass(frozen=True)
class Reason:
    """Failed jobs with the same error."""

    words: str
    kind: str | Promise
    status: str
    count: int
    url: str


def order_lists() -> dict[str, tuple[str | Promise, QuerySet[Order], dict[str, str]]]:
    """Return the worklists of orders: their words, rows, and the parameters of the list."""
    orders = Order.objects.all()
    statuses = Order.Status
    return {
        "overdue": (
            _("Unpaid and overdue"),
            orders.filter(is_overdue()),
            {"payment": "overdue"},
        ),
        "unpacked": (
            _("Paid and not packed"),
            orders.filter(status=statuses.PAID),
            {"status__exact": statuses.PAID},
        ),
        "unshipped": (
            _("Packed and not shipped"),
            orders.filter(status=statuses.PACKED),
            {"status__exact": statuses.PACKED},
        ),
        "owed": (
            _("Money owed to customers"),
            orders.filter(is_owed_money()),
            {"payment": "owed"},
        ),
        "bounced": (
            _("Address bounced, not shipped"),
            unsent_to_trouble(orders),
            {"address": "unsent"},
        ),
    }


URGENT = {"overdue", "owed", "bounced"}
"""The lists of orders in which something went wrong."""


def read_tasks(site: AdminSite, *, of_orders: bool = True, of_jobs: bool = True) -> list[Task]:
    """Return what waits for a person, in one query; a figure of nothing has its line, too."""
    lists = order_lists() if of_orders else {}
    url = reverse("admin:orders_order_changelist")
    rows: dict[str, QuerySet[Any]] = {name: orders for name, (_words, orders, _q) in lists.items()}
    desks = job_admins(site) if of_jobs else []
    for desk in desks:
        jobs = desk.model._default_manager
        rows[f"failed {desk.model.app}"] = jobs.filter(status=Status.FAILED)
        rows[f"unknown {desk.model.app}"] = jobs.filter(status=Status.UNKNOWN)
    counts = count_each(rows, exact=MOST_COUNTED)
    tasks = [
        Task(name, words, counts[name], f"{url}?{urlencode(query)}", name in URGENT)
        for name, (words, _orders, query) in lists.items()
    ]
    if of_jobs:
        for name, words in (("failed", _("Failed jobs")), ("unknown", _("Outcome unknown"))):
            count = add_counts(counts[f"{name} {desk.model.app}"] for desk in desks)
            tasks.append(Task(name, words, count, jobs_url(state=name), is_urgent=True))
    return tasks


def read_reasons(site: AdminSite) -> list[Reason]:
    """Return why jobs failed, the most frequent reasons first, in one query."""
    desks = {desk.model.app: desk for desk in job_admins(site)}
    return [
        Reason(
            words=Truncator(group.error).chars(90) or "–",
            kind=desks[group.app].opts.verbose_name_plural,
            status=str(Status(group.status).label),
            count=group.count,
            url=jobs_url(kind=group.app, state=group.status, error=group.error),
        )
        for group in error_groups(desks.values(), most=MOST_ERRORS)
    ]


def jobs_url(**query: str) -> str:
    """Return the page of jobs with these filters."""
    return f"{reverse('desk-jobs')}?{urlencode({k: v for k, v in query.items() if v})}"
