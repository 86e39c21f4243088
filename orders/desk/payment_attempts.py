"""Payment attempts at the desk: customers' ways to a provider, and those to check, read-only."""

from django.contrib import admin
from django.db.models import Q
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from orders.desk.payment import resolve_url
from orders.models import PaymentAttempt
from project.conf.payments import NEEDS
from project.desk.day_ranges import DayRangeFilter
from project.desk.long_lists import LongList
from project.desk.read_only import ReadOnly
from project.desk.search_terms import orders_numbered
from project.order_numbers import order_number
from project.templatetags.money import money

Status = PaymentAttempt.Status

TONES = {
    Status.STARTED.value: "info",
    Status.PAID.value: "success",
    Status.FAILED.value: "danger",
    Status.CANCELLED.value: "",
    Status.TO_CHECK.value: "warning",
}


@admin.register(PaymentAttempt)
class PaymentAttemptAdmin(ReadOnly, LongList):
    """The attempts, newest first. Providers' reports write them."""

    list_display = ("created_at", "order", "sum", "provider", "status_label", "said", "next")
    list_select_related = ("order",)
    list_filter = ("status", "doubt", "provider", ("created_at", DayRangeFilter))
    list_filter_submit = True
    ordering = ("-created_at", "-id")
    sortable = {"created_at": ("created_at", "id")}
    search_fields = ("reference",)
    search_help_text = _("Order number, or the provider's reference.")
    fields = (
        "order",
        "provider",
        "reference",
        "sum",
        "status",
        "said",
        "next",
        "created_at",
        "returned_at",
        "finished_at",
    )
    readonly_fields = fields

    def matches(self, text: str) -> Q:
        """Find an order's attempts, else the one with this reference."""
        if number := order_number(text):
            return Q(order__in=orders_numbered(number))
        return Q(provider__in=NEEDS, reference=text)

    @display(description=_("amount"))
    def sum(self, attempt: PaymentAttempt) -> str:
        return money(attempt.amount, attempt.currency)

    @display(description=_("status"), label=TONES)
    def status_label(self, attempt: PaymentAttempt) -> tuple[str, str]:
        return attempt.status, attempt.get_status_display()

    @display(description=_("provider's report"))
    def said(self, attempt: PaymentAttempt) -> str:
        """What the provider reported, after the reason why it wasn't entered."""
        return ": ".join(filter(None, (attempt.get_doubt_display(), attempt.reason))) or "–"

    @display(description=_("next"))
    def next(self, attempt: PaymentAttempt) -> str | SafeString:
        """Where an attempt to check is resolved."""
        if attempt.status != Status.TO_CHECK:
            return "–"
        html = '<a href="{}" class="text-link">{}</a>'
        return format_html(html, resolve_url(attempt), _("Resolve the payment"))
