"""The desk's first page: the day's figures, and the jobs and services that need attention."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from orders.catalogue.stock import is_low
from orders.desk.orders import COLOURS
from orders.models import Order, Product
from project.desk.jobs import job_admins
from project.jobs.queryset import OPEN, TROUBLED
from project.models import AuditRun
from project.monitoring.health import read_health
from project.names import service_name, service_note, service_state
from project.templatetags.money import money

LATEST = 8
UNCOUNTED = (Order.Status.CANCELLED, Order.Status.REFUNDED)
MEANINGS = {
    "broker": _("Orders go on. The relay sends messages itself, pictures wait."),
    "relay": _("Orders go on. Messages and pictures wait until it is back."),
    "notify": _("Orders go on. Messages wait until it is back."),
    "media": _("Orders go on. Pictures wait until it is back."),
    "default": _("Orders go on. Audits and other scheduled work wait."),
    "beat": _("Orders go on. No scheduled work is started."),
    "daily": _("Orders go on. This work is tried every few minutes; Daily runs say why it fails."),
    "sweeps": _("Orders go on. What these sweeps do waits; their list says why."),
}
"""The effect on the shop when a service is degraded."""


@dataclass(frozen=True)
class DegradedService:
    service: str
    state: str
    meaning: str | Promise


@dataclass(frozen=True)
class Figure:
    title: str | Promise
    value: Any
    note: str | Promise
    url: str
    colour: str = ""
    """`danger` or `warning` if the figure needs attention."""


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures to the page's context (unfold's DASHBOARD_CALLBACK)."""
    # A late import: unfold's settings load this module before the admin is complete.
    from django.contrib import admin

    health = read_health()
    context |= {
        "figures": [
            _orders_today(),
            *(_jobs(desk) for desk in job_admins(admin.site)),
            _services(health.degraded),
        ],
        "checks": [
            (service_name(name), service_state(state), state == "ok")
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
        "paused": [service_name(name) for name in health.paused],
        "audits": AuditRun.objects.last_of_each_scope(),
        "latest": [
            (order, COLOURS[order.status]) for order in Order.objects.order_by("-number")[:LATEST]
        ],
        "low_stock": Product.objects.filter(is_low(), is_active=True)
        .select_related("stock")
        .order_by("stock__available", "name")[:LATEST],
    }
    return context


def _orders_today() -> Figure:
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    today = Order.objects.filter(placed_at__gte=midnight).exclude(status__in=UNCOUNTED)
    figures = today.aggregate(count=Count("pk"), amount=Sum("total"))
    return Figure(
        title=_("Orders today"),
        value=figures["count"],
        note=money(figures["amount"] or Decimal(0), settings.SHOP_CURRENCY),
        url=reverse("admin:orders_order_changelist"),
    )


def _jobs(desk: Any) -> Figure:
    counts = desk.model.objects.count_unfinished()
    going_on, trouble = (sum(counts[status] for status in group) for group in (OPEN, TROUBLED))
    url = reverse(f"admin:{desk.opts.app_label}_{desk.opts.model_name}_changelist")
    return Figure(
        title=desk.opts.verbose_name_plural,
        value=trouble,
        note=_("need attention, %(count)d going on") % {"count": going_on},
        url=f"{url}?status__exact=failed" if trouble else url,
        colour="danger" if trouble else "",
    )


def _services(degraded: list[str]) -> Figure:
    return Figure(
        title=_("Services"),
        value=", ".join(service_name(name) for name in degraded) if degraded else _("All well"),
        note=_("not well") if degraded else _("relay, workers, broker, schedule"),
        url=reverse("admin:project_heartbeat_changelist"),
        colour="danger" if degraded else "",
    )
