"""What needs somebody: each figure of the overview with the list that it counts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import AdminSite
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from notifications.models import MADE_BY_SHOP, ChannelState, WebhookEndpoint
from notifications.webhooks.wellbeing import TROUBLES
from orders.finding.conditions import UNSENT_DAYS, is_overdue, is_owed_money, unsent_to_trouble
from orders.models import Order, PaymentAttempt, Return
from project.desk.job_errors import jobs_url
from project.desk.jobs import job_admins
from project.desk.row_counts import add_counts, count_each
from project.jobs.queryset import Status
from project.monitoring.health import Paused
from project.names import queue_name

MOST_COUNTED = 200
RETURNS: dict[str, str | Promise] = {
    Return.Status.REQUESTED: _("Returns to answer"),
    Return.Status.ACCEPTED: _("Accepted returns that haven't come"),
}
"""The open returns, by status."""
ENDPOINTS: dict[str, str | Promise] = {
    "silent": _("Webhook endpoints that don't answer"),
    "refusing": _("Webhook endpoints that refuse"),
    "gone": _("Webhook endpoints that switched themselves off (410)"),
}
"""The endpoints that need somebody, by `TROUBLES`."""


@dataclass(frozen=True)
class Task:
    """Something that waits for a person."""

    name: str
    words: str | Promise
    count: int
    url: str
    is_urgent: bool = False


@dataclass(frozen=True)
class Pause:
    """A channel or a queue that somebody has paused."""

    name: str
    user: str
    reason: str
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
            format_lazy(
                "{} ({})",
                _("Address bounced, not shipped"),
                ngettext_lazy("last %(days)d day", "last %(days)d days", UNSENT_DAYS)
                % {"days": UNSENT_DAYS},
            ),
            unsent_to_trouble(orders),
            {"address": "unsent"},
        ),
    }


URGENT = {"overdue", "owed", "bounced"}
"""The lists of orders in which something went wrong."""


def _anything(_permission: str) -> bool:
    return True


def read_tasks(
    site: AdminSite, *, may: Callable[[str], bool] = _anything, of_jobs: bool = True
) -> list[Task]:
    """Return what waits for a person, in one query; a figure of nothing has its line, too.

    `may` tells whether its reader has a permission: a figure leads to a list that they may see.
    """
    of_orders = may("orders.view_order")
    of_attempts = may("orders.view_paymentattempt")
    of_returns = may("orders.view_return")
    of_endpoints = may("notifications.view_webhookendpoint")
    lists = order_lists() if of_orders else {}
    url = reverse("admin:orders_order_changelist")
    rows: dict[str, QuerySet[Any]] = {name: orders for name, (_words, orders, _q) in lists.items()}
    if of_attempts:
        rows["to_check"] = PaymentAttempt.objects.filter(status=PaymentAttempt.Status.TO_CHECK)
    if of_returns:
        for status in RETURNS:
            rows[f"return {status}"] = Return.objects.filter(status=status)
    desks = job_admins(site) if of_jobs else []
    for desk in desks:
        jobs = desk.model._default_manager
        rows[f"failed {desk.model.app}"] = jobs.filter(status=Status.FAILED)
        rows[f"unknown {desk.model.app}"] = jobs.filter(status=Status.UNKNOWN)
    if of_endpoints:
        for name, condition in TROUBLES.items():
            rows[name] = WebhookEndpoint.objects.filter(condition, kind=MADE_BY_SHOP)
    counts = count_each(rows, exact=MOST_COUNTED)
    tasks = [
        Task(name, words, counts[name], f"{url}?{urlencode(query)}", name in URGENT)
        for name, (words, _orders, query) in lists.items()
    ]
    if of_attempts:
        attempts = reverse("admin:orders_paymentattempt_changelist")
        url = f"{attempts}?{urlencode({'status__exact': PaymentAttempt.Status.TO_CHECK})}"
        words = _("Online payments to check")
        tasks.append(Task("to_check", words, counts["to_check"], url, is_urgent=True))
    if of_returns:
        returns = reverse("admin:orders_return_changelist")
        for status, label in RETURNS.items():
            url = f"{returns}?{urlencode({'status': status})}"
            is_urgent = status == Return.Status.REQUESTED
            tasks.append(Task(status, label, counts[f"return {status}"], url, is_urgent=is_urgent))
    if of_jobs:
        for name, words in (("failed", _("Failed jobs")), ("unknown", _("Outcome unknown"))):
            count = add_counts(counts[f"{name} {desk.model.app}"] for desk in desks)
            tasks.append(Task(name, words, count, jobs_url(state=name), is_urgent=True))
    if of_endpoints:
        url = reverse("admin:notifications_webhookendpoint_changelist")
        for name, label in ENDPOINTS.items():
            tasks.append(Task(name, label, counts[name], f"{url}?state={name}", is_urgent=True))
    return tasks


def show_pauses(
    paused: Iterable[Paused], *, may: Callable[[str], bool], of_jobs: bool
) -> list[Pause]:
    """Return the paused channels and queues as the overview shows them, without a query."""
    channels = reverse("admin:notifications_channelstate_changelist")
    lists = {
        "channel": channels if may("notifications.view_channelstate") else "",
        "queue": reverse("desk-jobs") if of_jobs else "",
    }
    return [
        Pause(
            name=(
                str(ChannelState(gateway=each.name))
                if each.kind == "channel"
                else queue_name(each.name)
            ),
            user=each.user,
            reason=each.reason,
            url=lists[each.kind],
        )
        for each in sorted(paused, key=lambda each: (each.kind, each.name))
    ]
