"""Payment attempts at the desk: customers' ways to a provider, and those to check, read-only."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import display

from orders.models import PaymentAttempt
from project.desk.read_only import ReadOnly
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
class PaymentAttemptAdmin(ReadOnly, ModelAdmin):
    """The attempts, newest first. Providers' reports write them."""

    list_display = ("created_at", "order", "sum", "provider", "status_label", "said")
    list_select_related = ("order",)
    list_filter = ("status", "doubt", "provider", ("created_at", RangeDateFilter))
    list_filter_submit = True
    search_fields = ("=reference", "=order__email")
    search_help_text = _("The provider's reference, or the customer's e-mail address")
    show_full_result_count = False
    ordering = ("-created_at", "-pk")
    fields = (
        "order",
        "provider",
        "reference",
        "sum",
        "status",
        "said",
        "created_at",
        "returned_at",
        "finished_at",
    )
    readonly_fields = fields

    @display(description=_("amount"), ordering="amount")
    def sum(self, attempt: PaymentAttempt) -> str:
        return money(attempt.amount, attempt.currency)

    @display(description=_("status"), ordering="status", label=TONES)
    def status_label(self, attempt: PaymentAttempt) -> tuple[str, str]:
        return attempt.status, attempt.get_status_display()

    @display(description=_("provider's report"))
    def said(self, attempt: PaymentAttempt) -> str:
        """What the provider reported, after the reason why it wasn't entered."""
        return ": ".join(filter(None, (attempt.get_doubt_display(), attempt.reason))) or "–"
