"""Agent platforms at the desk: who shops here by agents, how much, and who is kept out."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from notifications.desk.webhook_words import trouble_words
from notifications.models import WebhookEndpoint
from notifications.webhooks import switches
from orders.agents import blocking
from orders.agents.checkouts import LIVES
from orders.agents.errors import ProtocolError
from orders.agents.order_events import event_address, known_endpoint
from orders.desk.agent_checkout_parts import profile_short, rows_of
from orders.desk.orders import COLOURS
from orders.models import AgentCheckout, AgentPlatform, Order
from project.desk.confirming import chosen_rows, confirm_page, reason_form
from project.desk.jobs import isolated, moment
from project.desk.long_lists import LongList
from project.desk.read_only import ReadOnly
from project.desk.record_page import RecordPage

Stage = AgentCheckout.Stage
RECENT = timedelta(days=30)
"""A platform's orders are counted for so long."""
LATEST = 10
BLOCKED_COLOURS = {"in": "success", "blocked": "danger"}


class BlockedFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("in", _("May shop")), ("blocked", _("Blocked"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("in", "blocked"):
            return queryset
        return queryset.filter(blocked_at__isnull=self.value() == "in")


@admin.register(AgentPlatform)
class AgentPlatformAdmin(ReadOnly, LongList, RecordPage):
    """Read-only rows, which the platforms' requests write; operators block and let in."""

    change_form_template = "desk/agent_platform.html"
    empty_words = _("No agent has come yet. Its platform is listed here from its first request on.")
    list_display = (
        *("profile_short", "state", "known_by", "first_seen", "last_seen"),
        *("open_checkouts", "recent_orders"),
    )
    list_filter = (BlockedFilter,)
    ordering = ("-used_at", "-id")
    sortable = {"last_seen": ("used_at", "id")}
    search_fields = ("profile_url",)
    search_help_text = _("The beginning of the profile's address, or of its host.")
    fields = (
        ("profile", "known_by"),
        ("first_seen", "last_seen"),
        ("read_at", "contact"),
        ("capabilities", "order_events"),
    )
    readonly_fields = (
        *("profile", "known_by", "first_seen", "last_seen", "read_at", "contact"),
        *("capabilities", "order_events"),
    )
    actions = ("block", "let_in", "resume_events")

    def matches(self, text: str) -> Q:
        return Q(profile_url__startswith=text) | Q(profile_url__startswith=f"https://{text}")

    def complete(self, rows: list[Any]) -> None:
        counted = _counts([row.pk for row in rows])
        for row in rows:
            row.is_open, row.ordered = counted.get(row.pk, (0, 0))

    def page_context(self, request: HttpRequest, platform: AgentPlatform) -> dict[str, Any]:
        mine = AgentCheckout.objects.filter(platform=platform)
        closed = mine.filter(stage=Stage.COMPLETED).order_by("-changed_at", "-id")
        order_ids = [each.order_id for each in closed.only("order_id")[:LATEST] if each.order_id]
        orders = Order.objects.filter(pk__in=order_ids).order_by("-placed_at", "-pk")
        colour, words = self.state(platform)
        wanted = ["let_in" if platform.blocked_at else "block"]
        wanted += ["resume_events"] if _without_events([platform]) else []
        known = self.get_actions(request)
        listed = reverse("admin:orders_agentcheckout_changelist")
        return {
            "subtitle": None,
            "title": platform.profile_url,
            "state": words,
            "state_colour": BLOCKED_COLOURS[colour],
            "decisions": [(name, known[name][2]) for name in wanted if name in known],
            "checkouts": rows_of(
                mine.select_related("platform").order_by("-changed_at", "-id")[:LATEST]
            ),
            "checkouts_url": f"{listed}?platform={platform.pk}",
            "orders": [(order, COLOURS[order.status]) for order in orders],
        }

    # ── Columns ─────────────────────────────────────────────────────────────────────────────

    @display(description=_("profile"))
    def profile_short(self, platform: AgentPlatform) -> SafeString:
        return profile_short(platform)

    @display(description=_("profile"))
    def profile(self, platform: AgentPlatform) -> SafeString:
        return isolated(platform.profile_url)

    @display(description=_("state"), label=BLOCKED_COLOURS)
    def state(self, platform: AgentPlatform) -> tuple[str, Any]:
        return ("blocked", _("Blocked")) if platform.blocked_at else ("in", _("May shop"))

    @display(description=_("how known"))
    def known_by(self, platform: AgentPlatform) -> Any:
        """A loaded profile is one that an operator gave (`manage.py ucp_platform`)."""
        if platform.is_known:
            return _("Loaded")
        return _("Fetched") if platform.document else _("Unreadable")

    @display(description=_("first seen"))
    def first_seen(self, platform: AgentPlatform) -> SafeString:
        return moment(platform.first_seen_at)

    @display(description=_("last seen"))
    def last_seen(self, platform: AgentPlatform) -> SafeString:
        return moment(platform.used_at)

    @display(description=_("open now"))
    def open_checkouts(self, platform: Any) -> int:
        return int(platform.is_open)

    @display(description=_("orders, 30 days"))
    def recent_orders(self, platform: Any) -> int:
        return int(platform.ordered)

    @display(description=_("profile read"))
    def read_at(self, platform: AgentPlatform) -> SafeString:
        return moment(platform.fetched_at)

    @display(description=_("e-mail for its orders"))
    def contact(self, platform: AgentPlatform) -> str:
        return platform.contact_email or "–"

    @display(description=_("capabilities"))
    def capabilities(self, platform: AgentPlatform) -> SafeString | str:
        """What its profile names; that may be more than the shop has."""
        document = platform.document
        profile = document.get("ucp", document) if isinstance(document, dict) else {}
        named = profile.get("capabilities", {}) if isinstance(profile, dict) else {}
        return isolated(", ".join(sorted(map(str, named)))) if named else "–"

    @display(description=_("events of its orders"))
    def order_events(self, platform: AgentPlatform) -> SafeString | str:
        """Where they go, and whether somebody takes them: they are deliveries of webhooks."""
        address = _told_at(platform)
        if not address:
            return "–"
        endpoint = known_endpoint(address)
        trouble = trouble_words(endpoint) if endpoint else ""
        return format_html("{} {}", isolated(address), trouble) if trouble else isolated(address)

    # ── Decisions ───────────────────────────────────────────────────────────────────────────

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("orders.change_agentplatform"))

    @action(description=_("Block"), permissions=["decide"])
    def block(
        self, request: HttpRequest, queryset: QuerySet[AgentPlatform]
    ) -> HttpResponseBase | None:
        rows = list(queryset)
        form = reason_form(request)
        if not form.is_valid():
            return confirm_page(
                request,
                title=_("Block"),
                question=_("Block these platforms?"),
                label=_("Block"),
                sentences=[
                    _("Their carts and checkouts are refused from now on, until you let them in."),
                    _("They still see the catalogue, and follow the orders that they placed."),
                ],
                facts=[(_("profile"), isolated(row.profile_url)) for row in rows],
                hidden=chosen_rows(request, "block"),
                form=form,
                back=request.get_full_path(),
                is_final=True,
                opts=self.opts,
            )
        rows = [row for row in rows if row.blocked_at is None]
        count = blocking.block([row.pk for row in rows], reason=form.typed)
        if rows:
            self.record_action(request, _("Block"), rows, reason=form.typed)
        words = ngettext(
            "%(count)d platform is blocked.", "%(count)d platforms are blocked.", count
        )
        messages.success(request, words % {"count": count})
        return None

    block.logs_itself = True

    @action(description=_("Let in again"), permissions=["decide"])
    def let_in(self, request: HttpRequest, queryset: QuerySet[AgentPlatform]) -> None:
        rows = [row for row in queryset if row.blocked_at is not None]
        count = blocking.let_in([row.pk for row in rows])
        if rows:
            self.record_action(request, _("Let in again"), rows)
        words = ngettext(
            "%(count)d platform may shop again.", "%(count)d platforms may shop again.", count
        )
        messages.success(request, words % {"count": count})

    let_in.logs_itself = True

    @action(description=_("Send its events again"), permissions=["decide"])
    def resume_events(self, request: HttpRequest, queryset: QuerySet[AgentPlatform]) -> None:
        """Let those have events again whose address answered 410, or that a restore paused."""
        stopped = _without_events(list(queryset))
        keys = [endpoint.pk for endpoint in stopped.values()]
        count = switches.resume(WebhookEndpoint.objects.filter(pk__in=keys))
        if stopped:
            self.record_action(request, _("Send its events again"), list(stopped))
        words = ngettext(
            "%(count)d address of events goes on.", "%(count)d addresses of events go on.", count
        )
        messages.success(request, words % {"count": count})

    resume_events.logs_itself = True


def _told_at(platform: AgentPlatform) -> str:
    """Return the address of its events; empty: it wants none, or its profile can't be read."""
    with suppress(ProtocolError):
        return event_address(platform)
    return ""


def _without_events(platforms: list[AgentPlatform]) -> dict[AgentPlatform, WebhookEndpoint]:
    """Return those whose events go nowhere any more, with their endpoints."""
    found = {each: known_endpoint(_told_at(each)) for each in platforms}
    active = WebhookEndpoint.Status.ACTIVE
    return {each: one for each, one in found.items() if one is not None and one.status != active}


def _counts(platform_ids: list[Any]) -> dict[Any, tuple[int, int]]:
    """Return open checkouts and recent orders by platform, in one query.

    An open checkout ends `LIVES` after it was made, so none is older by its last change: with it,
    the index of platform, stage and change is read where it has something to count.
    """
    is_open = Q(stage=Stage.OPEN, changed_at__gt=Now() - LIVES, expires_at__gt=Now())
    is_recent = Q(stage=Stage.COMPLETED, changed_at__gt=Now() - RECENT)
    counted = (
        AgentCheckout.objects.filter(is_open | is_recent, platform__in=platform_ids)
        .order_by()
        .values("platform")
        .annotate(open=Count("pk", filter=is_open), ordered=Count("pk", filter=is_recent))
    )
    return {row["platform"]: (row["open"], row["ordered"]) for row in counted}
