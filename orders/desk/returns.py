"""The worklist of returns: those to answer, the oldest first; and those of any other status."""

from typing import Any

from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, QuerySet, Value
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.decorators import display
from unfold.views import ChangeList

from orders.desk.order_returns import COLOURS, STEPS, step_url
from orders.lifecycle.return_steps import COMES_FROM
from orders.models import Return, ReturnLine
from project.desk.jobs import isolated, moment
from project.desk.long_lists import LongChangeList, LongList
from project.desk.one_status import OneStatus
from project.desk.read_only import ReadOnly


class ReturnStatusFilter(OneStatus):
    statuses = Return.Status
    to_do = Return.Status.REQUESTED


class ReturnList(LongChangeList):
    """What is open has the oldest first; what has ended the newest."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        is_open = ReturnStatusFilter.chosen(request) in Return.OPEN
        return ["requested_at", "id"] if is_open else ["-requested_at", "-id"]

    def url_for_result(self, result: Any) -> str:
        """A return is shown on its order's page."""
        return reverse("admin:orders_order_change", args=[result.order_id])


@admin.register(Return)
class ReturnAdmin(ReadOnly, LongList):
    """Read-only rows; their steps are pages of their order."""

    list_display = ("order_number", "customer", "what", "why", "since", "state", "steps")
    list_display_links = ("order_number",)
    list_filter = (ReturnStatusFilter,)
    list_select_related = ("order",)
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Return]:
        """Each return with `permitted`: the steps for which the operator has the permission."""
        permitted = [name for name, step in STEPS.items() if request.user.has_perm(step.permission)]
        names = Value(permitted, ArrayField(CharField()))
        return super().get_queryset(request).annotate(permitted=names)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ReturnList

    def complete(self, rows: list[Any]) -> None:
        """Set `units` of the page's returns: their lines."""
        found: dict[Any, list[ReturnLine]] = {each.pk: [] for each in rows}
        for row in ReturnLine.objects.filter(of_return__in=found).select_related("line"):
            found[row.of_return_id].append(row)
        for each in rows:
            each.units = found[each.pk]

    @display(description=_("order"))
    def order_number(self, asked: Return) -> str:
        return asked.order.display_number

    @display(description=_("customer"))
    def customer(self, asked: Return) -> SafeString:
        return isolated(asked.order.name)

    @display(description=_("items"))
    def what(self, asked: Any) -> SafeString:
        names = ((row.quantity, isolated(row.line.name)) for row in asked.units)
        return format_html_join(SafeString("<br>"), "<span>{} × {}</span>", names)

    @display(description=_("reason"))
    def why(self, asked: Return) -> str | SafeString:
        return isolated(asked.reason) if asked.reason else "–"

    @display(description=_("since"))
    def since(self, asked: Return) -> SafeString:
        return moment(asked.requested_at)

    @display(description=_("status"), label={**COLOURS, "late": "danger"})
    def state(self, asked: Return) -> tuple[str, str]:
        if asked.is_late and asked.status == Return.Status.REQUESTED:
            return "late", str(pgettext_lazy("return", "Requested late"))
        return asked.status, str(asked.get_status_display())

    @display(description=_("steps"))
    def steps(self, asked: Any) -> SafeString | str:
        links = [
            (f"{step_url(asked, name)}?worklist", step.label)
            for name, step in STEPS.items()
            if name in asked.permitted and asked.status in COMES_FROM[step.to]
        ]
        link = '<a href="{}" class="text-link">{}</a>'
        return format_html_join(SafeString("<br>"), link, links) or "–"
