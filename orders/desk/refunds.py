"""The worklist of refunds: what the shop owes to customers, the oldest first, and its pay-outs."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.views import ChangeList

from orders.desk.payment import COLOURS, payout_url
from orders.desk.transitions import REFUND
from orders.models import Refund
from project.desk.jobs import isolated, moment
from project.desk.long_lists import LongChangeList, LongList
from project.desk.one_status import OneStatus
from project.desk.read_only import ReadOnly
from project.templatetags.money import money


class RefundStatusFilter(OneStatus):
    statuses = Refund.Status
    to_do = Refund.Status.OWED


class RefundList(LongChangeList):
    """What is owed has the oldest first; what is settled the newest."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        is_owed = RefundStatusFilter.chosen(request) == Refund.Status.OWED
        return ["created_at", "id"] if is_owed else ["-created_at", "-id"]

    def url_for_result(self, result: Any) -> str:
        """A refund is shown on its order's page."""
        return reverse("admin:orders_order_change", args=[result.order_id])


@admin.register(Refund)
class RefundAdmin(ReadOnly, LongList):
    """Read-only rows; the money's way out is entered by the step of its order."""

    list_display = ("order_number", "customer", "amount_shown", "why", "since", "state", "pay_out")
    list_display_links = ("order_number",)
    list_filter = (RefundStatusFilter,)
    list_select_related = ("order", "paid_out_by")
    actions = None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RefundList

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns; the way to a pay-out is for those who may enter one."""
        may_pay_out = request.user.has_perm(REFUND)
        return [*self.list_display[:-1], "pay_out" if may_pay_out else "paid_out"]

    @display(description=_("order"))
    def order_number(self, refund: Refund) -> str:
        return refund.order.display_number

    @display(description=_("customer"))
    def customer(self, refund: Refund) -> SafeString:
        return isolated(refund.order.name)

    @display(description=_("amount"))
    def amount_shown(self, refund: Refund) -> str:
        return money(refund.amount, refund.order.currency)

    @display(description=_("reason"))
    def why(self, refund: Refund) -> str | SafeString:
        return isolated(refund.reason) if refund.reason else "–"

    @display(description=_("since"))
    def since(self, refund: Refund) -> SafeString:
        return moment(refund.created_at)

    @display(description=_("status"), label=COLOURS)
    def state(self, refund: Refund) -> tuple[str, str]:
        return refund.status, str(refund.get_status_display())

    @display(description=_("pay-out"))
    def pay_out(self, refund: Refund) -> str | SafeString:
        if refund.status == Refund.Status.OWED:
            url = f"{payout_url(refund)}?worklist"
            return format_html('<a href="{}" class="text-link">{}</a>', url, _("Enter the pay-out"))
        return self.paid_out(refund)

    @display(description=_("pay-out"))
    def paid_out(self, refund: Refund) -> str | SafeString:
        if refund.status == Refund.Status.NOT_OWED:
            return "–"
        facts = (refund.payout_reference, refund.paid_out_by)
        return isolated(" · ".join(str(fact) for fact in facts if fact) or "–")
