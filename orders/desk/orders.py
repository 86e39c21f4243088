"""Orders at the desk: the list, and one order with its lines, timeline and jobs on one page."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from media_jobs.models import MediaJob
from notifications.models import Notification
from notifications.receipts.bounces import trouble_with
from orders.desk.new_order.page import NewOrderPage
from orders.desk.next_steps import Step, step_url
from orders.desk.order_filters import (
    AddressFilter,
    AmountFilter,
    CarrierFilter,
    CountryFilter,
    JobsFilter,
    PaymentFilter,
    ProductFilter,
    SalesFilter,
)
from orders.desk.order_lines import read_lines
from orders.desk.order_returns import next_of_returns, read_returns
from orders.desk.order_sheets import SHEETS
from orders.desk.other_orders import read_other_orders
from orders.desk.papers import PAPER_ACTIONS, PaperActions
from orders.desk.payment import read_payment
from orders.desk.people import OrderPersonPages
from orders.desk.preview import PreviewPage, preview_url
from orders.desk.step_forms import RefundForm
from orders.desk.steps import NoteForm, StepPages
from orders.desk.timeline import Happening, read_happenings
from orders.desk.transitions import REFUND, TransitionActions
from orders.finding.search import means_order
from orders.lifecycle.corrections import CORRECTABLE, sent_elsewhere
from orders.models import Order
from orders.taxes.splitting import order_taxes
from project.desk.day_ranges import DayRangeFilter
from project.desk.export_list import ExportList
from project.desk.jobs import isolated, moment
from project.desk.long_lists import LongList
from project.desk.read_only import ReadOnly
from project.desk.record_page import RecordPage
from project.email_addresses import readable_address
from project.jobs.model import models_of_orders
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


@admin.register(Order)
class OrderAdmin(
    NewOrderPage,
    ReadOnly,
    ExportList,
    LongList,
    StepPages,
    PaperActions,
    TransitionActions,
    PreviewPage,
    OrderPersonPages,
    RecordPage,
):
    change_form_template = "desk/order.html"
    list_display = ("number_shown", "state", "customer", "total_shown", "placed", "jobs")
    list_display_links = ("number_shown",)
    list_filter = (
        JobsFilter,
        PaymentFilter,
        AddressFilter,
        SalesFilter,
        "status",
        "door",
        ("placed_at", DayRangeFilter),
        ("total", AmountFilter),
        ProductFilter,
        CountryFilter,
        CarrierFilter,
    )
    list_filter_submit = True  # for the dates
    ordering = ("-placed_at", "-number")
    sortable = {"number_shown": ("number",), "placed": ("placed_at", "number")}
    search_fields = ("name", "email", "phone")
    search_help_text = _("Number, id, name, e-mail or phone.")
    sheets = SHEETS
    view_on_site = False
    actions = (*TransitionActions.actions, *PAPER_ACTIONS)

    # ── The list ────────────────────────────────────────────────────────────────────────────

    def complete(self, rows: list[Any]) -> None:
        """Set `job_statuses` of the page's orders: the statuses of their jobs that aren't done."""
        found: dict[UUID, set[str]] = {order.pk: set() for order in rows}
        for model in models_of_orders():
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
        payment = read_payment(order)
        steps = self.step_buttons(request, order, is_due=payment.due > 0)
        may_step = self.has_step_permission(request)
        may_refund = request.user.has_perm(REFUND)
        returns = read_returns(order, may=request.user.has_perm)
        next_step = self.next_step(
            steps,
            order,
            payout_url=payment.payout_url if may_refund else "",
            resolve_url=payment.resolve_url if may_step else "",
        ) or next_of_returns(returns)
        happenings = read_happenings(order, request, site=self.admin_site)
        messages = [each.job for each in happenings if isinstance(each.job, Notification)]
        media_jobs = [each.job for each in happenings if isinstance(each.job, MediaJob)]
        order_lines = read_lines(order, returned=payment.returned)
        lines = [row.line for row in order_lines.rows]
        return {
            **self.papers_card(request, order, jobs=media_jobs, lines=lines),
            "subtitle": None,
            "show_history": False,
            "title": _("Order %(number)s") % {"number": order.display_number},
            "status_colour": COLOURS[order.status],
            "next_step": next_step,
            "steps": steps,
            "further_steps": [row for row in steps if not next_step or row[1] != next_step.url],
            "may_step": may_step,
            "may_refund": may_refund,
            **self.person_links(request, order),
            "contact_url": step_url(order, "contact") if order.status in CORRECTABLE else "",
            "again_url": step_url(order, "again") if sent_elsewhere(order, messages) else "",
            "refund_url": _refund_url(steps),
            "note_form": NoteForm(),
            "preview_url": preview_url(order),
            "address_trouble": trouble_with(order.email),
            "payment": payment,
            "parcel": _parcel(happenings),
            "zone": settings.TIME_ZONE,
            "order_lines": order_lines,
            "returns": returns,
            "taxes": order_taxes(order, lines),
            "timeline": happenings,
            "others": read_other_orders(order),
        }


def _refund_url(steps: list[tuple[Step, str]]) -> str:
    """Return the page of the order's refund; empty if there is none, or not for this user."""
    return next((url for step, url in steps if step.form is RefundForm), "")


def _parcel(happenings: list[Happening]) -> str:
    """Return the carrier and tracking number that the order went by; empty if it hasn't left."""
    parcels = [each.note for each in happenings if each.is_parcel]
    return parcels[-1] if parcels else ""
