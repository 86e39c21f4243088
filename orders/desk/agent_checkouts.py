"""Agents' checkouts at the desk, read-only: how far each came, and the order that it has become."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Lower, Now
from django.db.models.lookups import StartsWith
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from orders.desk.agent_checkout_parts import (
    COLOURS,
    OVER,
    buyer_of,
    lines_of,
    messages_of,
    profile_short,
    rows_of,
    sums_of,
)
from orders.models import AgentCheckout, AgentPlatform
from project.desk.address_search import searched_address
from project.desk.jobs import in_zone, isolated, moment
from project.desk.long_lists import LongList
from project.desk.read_only import ReadOnly
from project.desk.record_page import RecordPage
from project.desk.search_terms import orders_numbered, typed_id
from project.order_numbers import order_number

Stage = AgentCheckout.Stage
OFFERED = 20
"""So many platforms can be chosen in the filter; the others by their own page."""


class StageFilter(admin.SimpleListFilter):
    title = _("stage")
    parameter_name = "stage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        (_open, first), *others = Stage.choices
        return [(Stage.OPEN.value, first), (OVER, _("Time is over")), *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case Stage.OPEN:
                return queryset.filter(stage=Stage.OPEN, expires_at__gt=Now())
            case "over":
                return queryset.filter(stage=Stage.OPEN, expires_at__lte=Now())
            case stage if stage in Stage.values:
                return queryset.filter(stage=stage)
        return queryset


class PlatformFilter(admin.SimpleListFilter):
    """The platforms that came last, and the chosen one: anybody's may come, so they aren't all."""

    title = _("platform")
    parameter_name = "platform"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        known = AgentPlatform.objects.order_by("-used_at", "-pk").values_list("pk", "profile_url")
        offered = list(known[:OFFERED])
        chosen = request.GET.get(self.parameter_name, "")
        if _is_key(chosen) and int(chosen) not in dict(offered):
            offered += known.filter(pk=int(chosen))
        return [(str(key), url) for key, url in offered]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value() or ""
        return queryset.filter(platform=int(chosen)) if _is_key(chosen) else queryset


@admin.register(AgentCheckout)
class AgentCheckoutAdmin(ReadOnly, LongList, RecordPage):
    """Read-only rows, newest change first. Agents' requests write them."""

    change_form_template = "desk/agent_checkout.html"
    empty_words = _(
        "No agent has begun a checkout in the last 30 days. Older ones are deleted; their orders"
        " stay, under Orders with the source “Agent”."
    )
    list_display = ("session", "state", "platform_short", "total", "order", "changed", "expires")
    list_filter = (StageFilter, PlatformFilter)
    list_select_related = ("platform",)
    ordering = ("-changed_at", "-id")
    sortable = {"changed": ("changed_at", "id")}
    search_fields = ("id",)
    search_help_text = _("Id, order number, or the beginning of the buyer’s e-mail address.")
    fields = ("session_id", "platform_shown", ("created", "changed"), "expires")
    readonly_fields = ("session_id", "platform_shown", "created", "changed", "expires")
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("platform")

    def matches(self, text: str) -> Q:
        if (wanted := typed_id(text)) is not None:
            return Q(pk=wanted) | Q(order_id=wanted)
        if number := order_number(text):
            order_ids = orders_numbered(number)
            return Q(order_id__in=order_ids) | Q(places__in=order_ids)
        email = Lower(KT("wanted__buyer__email"))
        # As the agent wrote it, or in the form that orders have.
        return Q(StartsWith(email, text.lower())) | Q(
            StartsWith(email, searched_address(text).lower())
        )

    def complete(self, rows: list[Any]) -> None:
        for row, shown in zip(rows, rows_of(rows), strict=True):
            row.shown = shown

    def page_context(self, request: HttpRequest, checkout: AgentCheckout) -> dict[str, Any]:
        [row] = rows_of([checkout])
        return {
            "subtitle": None,
            "title": _("Agent checkout"),
            "show_history": False,
            "row": row,
            "lines": lines_of(checkout),
            "sums": sums_of(checkout),
            "buyer": buyer_of(checkout),
            "said": [] if row.order else messages_of(checkout),
        }

    # ── Columns ─────────────────────────────────────────────────────────────────────────────

    @display(description=_("checkout"))
    def session(self, checkout: AgentCheckout) -> SafeString:
        return format_html("<code>{}…</code>", str(checkout.pk)[:8])

    @display(description=_("id"))
    def session_id(self, checkout: AgentCheckout) -> SafeString:
        return format_html("<code>{}</code>", checkout.pk)

    @display(description=_("stage"), label=COLOURS)
    def state(self, checkout: Any) -> tuple[str, Any]:
        return checkout.shown.state, checkout.shown.words

    @display(description=_("platform"))
    def platform_short(self, checkout: AgentCheckout) -> SafeString:
        return profile_short(checkout.platform)

    @display(description=_("platform"))
    def platform_shown(self, checkout: AgentCheckout) -> SafeString:
        return isolated(checkout.platform.profile_url)

    @display(description=_("total"))
    def total(self, checkout: Any) -> str:
        return str(checkout.shown.total)

    @display(description=_("order"))
    def order(self, checkout: Any) -> str | SafeString:
        order = checkout.shown.order
        if order is None:
            return "–"
        url = reverse("admin:orders_order_change", args=[order.pk])
        return format_html('<a class="text-link" href="{}">{}</a>', url, order.display_number)

    @display(description=_("created"))
    def created(self, checkout: AgentCheckout) -> SafeString:
        return moment(checkout.created_at)

    @display(description=_("changed"))
    def changed(self, checkout: AgentCheckout) -> SafeString:
        return moment(checkout.changed_at)

    @display(description=in_zone(_("expires")))
    def expires(self, checkout: AgentCheckout) -> SafeString:
        return moment(checkout.expires_at)


def _is_key(text: str) -> bool:
    """Tell whether the text can be a platform's key: junk in an address chooses nothing."""
    return text.isascii() and text.isdecimal() and len(text) < 10
