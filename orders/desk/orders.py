"""Orders at the desk: the list, and one order with its lines, timeline and jobs on one page."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from notifications.receipts.bounces import trouble_with
from orders.desk.list_filters import AddressFilter, JobsFilter, PaymentFilter
from orders.desk.order_search import means_order
from orders.desk.payment import read_payment
from orders.desk.preview import PreviewPage, preview_url
from orders.desk.steps import StepPages
from orders.desk.transitions import TransitionActions
from orders.lifecycle.timeline import read_timeline
from orders.models import Order
from project.desk.day_ranges import DayRangeFilter
from project.desk.jobs import COLOURS as JOB_COLOURS
from project.desk.jobs import JobAdmin, isolated, job_admins, moment
from project.desk.long_lists import LongList
from project.desk.read_only import ReadOnly
from project.desk.record_page import RecordPage
from project.email_addresses import readable_address
from project.jobs.model import Job, job_models
from project.jobs.queryset import OPEN, TROUBLED
from project.templatetags.money import money

COLOURS = {
    Order.Status.PLACED.value: "info",
    Order.Status.PAID.value: "primary",
    Order.Status.PACKED.value: "primary",
    Order.Status.SHIPPED.value: "primary",
    Order.Status.DELIVERED.value: "success",
    Order.Status.CANCELLED.value: "",
    Order.Status.REFUNDED.value: "warning",
}


@dataclass(frozen=True)
class JobRow:
    """A job as the order's page shows it."""

    job: Job
    summary: str
    url: str
    colour: str
    pictures: list[tuple[str, str]]
    thumbnail: str
    decisions: list[tuple[str | Promise, str]]


@admin.register(Order)
class OrderAdmin(ReadOnly, LongList, StepPages, TransitionActions, PreviewPage, RecordPage):
    change_form_template = "desk/order.html"
    list_display = ("number_shown", "state", "customer", "total_shown", "placed", "jobs")
    list_display_links = ("number_shown",)
    list_filter = (
        JobsFilter,
        PaymentFilter,
        AddressFilter,
        "status",
        "door",
        ("placed_at", DayRangeFilter),
    )
    list_filter_submit = True  # for the dates
    ordering = ("-placed_at", "-number")
    sortable = {"number_shown": ("number",), "placed": ("placed_at", "number")}
    search_fields = ("name", "email", "phone")
    search_help_text = _("Number, id, name, e-mail or phone.")
    view_on_site = False

    # ── The list ────────────────────────────────────────────────────────────────────────────

    def complete(self, rows: list[Any]) -> None:
        """Set `job_statuses` of the page's orders: the statuses of their jobs that aren't done."""
        found: dict[UUID, set[str]] = {order.pk: set() for order in rows}
        for model in job_models():
            jobs = model._default_manager.filter(order_id__in=found, status__in=TROUBLED + OPEN)
            for job in jobs.order_by().only("order_id", "status"):
                if job.order_id:
                    found[job.order_id].add(job.status)
        for order in rows:
            order.job_statuses = found[order.pk]

    @display(description=_("number"), ordering="number")
    def number_shown(self, order: Order) -> str:
        return order.display_number

    @display(description=_("status"), ordering="status", label=COLOURS)
    def state(self, order: Order) -> tuple[str, str]:
        return order.status, str(order.get_status_display())

    @display(description=_("customer"), ordering="name", header=True)
    def customer(self, order: Order) -> list[str]:
        return [isolated(Truncator(order.name).chars(40)), isolated(readable_address(order.email))]

    @display(description=_("total"), ordering="total")
    def total_shown(self, order: Order) -> str:
        return money(order.total, order.currency)

    @display(description=_("placed"), ordering="placed_at")
    def placed(self, order: Order) -> SafeString:
        return moment(order.placed_at)

    @display(
        description=_("jobs"), label={"trouble": "danger", "going on": "info", "done": "success"}
    )
    def jobs(self, order: Any) -> tuple[str, Any]:
        if not order.job_statuses.isdisjoint(TROUBLED):
            return "trouble", _("need attention")
        if order.job_statuses:
            return "going on", _("going on")
        return "done", _("done")

    def matches(self, text: str) -> Q:
        return means_order(text)

    # ── One order ───────────────────────────────────────────────────────────────────────────

    def page_context(self, request: HttpRequest, order: Order) -> dict[str, Any]:
        return {
            "subtitle": None,
            "show_history": False,
            "title": _("Order %(number)s") % {"number": order.display_number},
            "status_colour": COLOURS[order.status],
            "steps": self.step_buttons(request, order),
            "preview_url": preview_url(order),
            "address_trouble": trouble_with(order.email),
            "payment": read_payment(order),
            "zone": settings.TIME_ZONE,
            "lines": order.lines.prefetch_related("uploads"),
            "timeline": read_timeline(order),
            "jobs": [
                _row(desk, request, job)
                for desk in job_admins(self.admin_site)
                for job in desk.for_order(order.pk)
            ],
        }


def _row(desk: JobAdmin, request: HttpRequest, job: Job) -> JobRow:
    name = f"admin:{desk.opts.app_label}_{desk.opts.model_name}_change"
    return JobRow(
        job=job,
        summary=desk.summary(job),
        url=reverse(name, args=[job.pk]),
        colour=JOB_COLOURS[job.status],
        pictures=desk.pictures(job),
        thumbnail=desk.thumbnail(job),
        decisions=desk.decisions_for(request, job),
    )
