"""The desk's first page, the overview: sales, what needs somebody, and how the services are.

It takes 12 queries at most, whatever the shop's size: the sales come from
`orders.reports.quarters`, the lines of the queues from `project.queues.samples`, and each other
figure is counted by an index up to a thousand.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.catalogue.stock import is_low
from orders.desk.attention import read_tasks, show_pauses
from orders.desk.new_order.page import may_make_orders
from orders.desk.orders import COLOURS
from orders.desk.sales import read_overview
from orders.desk.stock_takes import may_take_stock
from orders.models import Order, Product
from orders.reports.quarters import best_sellers
from project.desk.appearance import may_see_jobs
from project.desk.charts import sparkline
from project.desk.durations import duration
from project.desk.job_errors import read_errors
from project.desk.jobs import job_admins
from project.limits.client_address import came_by_unknown_proxy
from project.models import AuditRun
from project.monitoring.health import read_health
from project.names import queue_name, service_name, service_note, service_state
from project.queues.samples import QueueHistory, read_history
from project.replica.reading import read_lagging

LATEST = 8
BEST = 8
MOST_ERRORS = 5
MEANINGS = {
    "broker": gettext_lazy("Orders go on. The relay sends messages itself, pictures wait."),
    "relay": gettext_lazy("Orders go on. Messages and pictures wait until it is back."),
    "notify": gettext_lazy("Orders go on. Messages wait until it is back."),
    "media": gettext_lazy("Orders go on. Pictures wait until it is back."),
    "default": gettext_lazy("Orders go on. Audits and other scheduled work wait."),
    "beat": gettext_lazy("Orders go on. No scheduled work is started."),
    "daily": gettext_lazy(
        "Orders go on. This work is tried every few minutes; Daily runs say why it fails."
    ),
    "sweeps": gettext_lazy("Orders go on. What these sweeps do waits; their list says why."),
}
"""The effect on the shop when a service is degraded."""


@dataclass(frozen=True)
class DegradedService:
    service: str
    state: str
    meaning: str | Promise


@dataclass(frozen=True)
class QueueLine:
    """A queue over the last hour."""

    name: str
    depth: int | None
    depth_line: SafeString
    oldest: str
    oldest_line: SafeString


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures to the page's context (unfold's DASHBOARD_CALLBACK)."""
    # A late import: unfold's settings load this module before the admin is complete.
    from django.contrib import admin

    now = timezone.now()
    health = read_health()
    may = request.user.has_perm
    sees_orders = may("orders.view_order")
    sees_jobs = may_see_jobs(request)
    context |= {
        "tasks": read_tasks(admin.site, may=may, of_jobs=sees_jobs),
        "sees_orders": sees_orders,
        "new_order_url": reverse("admin:orders_order_add") if may_make_orders(request) else "",
        "sees_jobs": sees_jobs,
        "checks": [
            (service_name(name), service_state(state), state == "ok", name in health.paused)
            for name, state in health.checks.items()
        ],
        "notes": [(service_name(name), service_note(note)) for name, note in health.notes.items()],
        "troubles": [
            DegradedService(
                service=service_name(name),
                state=service_state(health.checks[name]),
                meaning=MEANINGS.get(name, ""),
            )
            for name in health.degraded
        ],
        "has_unknown_proxy": sees_jobs and came_by_unknown_proxy(request),
        "pauses": show_pauses(health.pauses, may=may, of_jobs=sees_jobs),
        "sees_audits": may("project.view_auditrun"),
        "audits": AuditRun.objects.last_of_each_scope(),
        "may_take_stock": may_take_stock(request),
        "low_stock": Product.objects.filter(is_low(), is_active=True)
        .select_related("stock")
        .order_by("stock__available", "name")[:LATEST],
    }
    if sees_orders:
        context |= read_lagging(request, lambda: _sales(now))
    if sees_jobs:
        context |= {
            "errors": read_errors(request, job_admins(admin.site), most=MOST_ERRORS),
            "queues": [
                _queue_line(history)
                for history in read_history(until=now, steps=60, step=timedelta(minutes=1))
            ],
            "jobs_url": reverse("desk-jobs"),
        }
    return context


def _sales(now: datetime) -> dict[str, Any]:
    """Return the figures of sales and the latest orders, which a replica may answer."""
    periods, charts = read_overview(now)
    return {
        "periods": periods,
        "charts": charts,
        "sellers": best_sellers(_days_ago(7), most=BEST),
        "latest": [
            (order, COLOURS[order.status]) for order in Order.objects.order_by("-number")[:LATEST]
        ],
    }


def _days_ago(days: int) -> Any:
    """Return the midnight with which the last days begin, today included."""
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return timezone.make_aware(today.replace(tzinfo=None) - timedelta(days=days - 1))


def _queue_line(history: QueueHistory) -> QueueLine:
    depths = [depth for depth in history.depth if depth is not None]
    waits = [wait for wait in history.oldest if wait is not None]
    return QueueLine(
        name=queue_name(history.queue),
        depth=depths[-1] if depths else None,
        depth_line=sparkline(history.depth, label=_("Waiting jobs over the last hour")),
        oldest=duration(waits[-1]) if waits else "–",
        oldest_line=sparkline(history.oldest, label=_("Oldest waiting job over the last hour")),
    )
