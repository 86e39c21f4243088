"""Linked assistants at the desk: which shopper lets which assistant read their orders."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from orders.agents.linking.scopes import SCOPES
from orders.agents.linking.tokens import end_links
from orders.models import AgentClient, AgentLink, User
from project.desk.audit_log import LoggedActions
from project.desk.confirming import chosen_rows, confirm_page, reason_form
from project.desk.jobs import isolated, moment
from project.desk.long_lists import LongList
from project.desk.read_only import ReadOnly
from project.desk.search_terms import has_address
from project.email_addresses import readable_address


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("linked", _("Linked")), ("ended", _("Ended")), ("over", _("Time is over"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        states = {
            "linked": Q(ended_at=None, refresh_until__gt=Now()),
            "ended": Q(ended_at__isnull=False),
            "over": Q(ended_at=None, refresh_until__lte=Now()),
        }
        return queryset.filter(states.get(self.value() or "", Q()))


@admin.register(AgentLink)
class AgentLinkAdmin(ReadOnly, LoggedActions, LongList):
    """Read-only rows, newest first. A link is made by its shopper alone."""

    empty_words = _(
        "No shopper has linked an assistant. A shopper does it from the assistant’s own program."
    )
    list_display = ("assistant", "shopper", "state", "since", "last_used", "scopes_shown")
    list_display_links = None
    list_filter = (StateFilter,)
    list_select_related = ("client", "user")
    ordering = ("-linked_at", "-id")
    sortable = {"since": ("linked_at", "id")}
    search_fields = ("user__email",)
    search_help_text = _("The beginning of the shopper’s e-mail address, or the assistant’s name.")
    fields = ("assistant", "shopper", "state", "since", "last_used", "scopes_shown")
    readonly_fields = fields
    actions = ("end_link",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave those out whose code was never redeemed: nothing could be read by them."""
        taken_up = super().get_queryset(request).filter(refresh_until__isnull=False)
        return taken_up.select_related("client", "user")

    def matches(self, text: str) -> Q:
        people = User.objects.filter(has_address("email", text) & ~Q(email=""))
        clients = AgentClient.objects.filter(name__icontains=text)  # operators make them: few
        return Q(user__in=people.values("pk")) | Q(client__in=clients.values("pk"))

    # ── Columns ─────────────────────────────────────────────────────────────────────────────

    @display(description=_("assistant"))
    def assistant(self, link: AgentLink) -> SafeString:
        return isolated(link.client.name)

    @display(description=_("shopper"))
    def shopper(self, link: AgentLink) -> SafeString:
        return isolated(_shopper(link))

    @display(description=_("state"), label={"linked": "success", "ended": "", "over": "warning"})
    def state(self, link: AgentLink) -> tuple[str, Any]:
        if link.ended_at is not None:
            return "ended", _("Ended")
        is_live = link.refresh_until is not None and link.refresh_until > timezone.now()
        return ("linked", _("Linked")) if is_live else ("over", _("Time is over"))

    @display(description=_("since"))
    def since(self, link: AgentLink) -> SafeString:
        return moment(link.linked_at)

    @display(description=_("last used"))
    def last_used(self, link: AgentLink) -> SafeString:
        return moment(link.used_at)

    @display(description=_("may"))
    def scopes_shown(self, link: AgentLink) -> str:
        return ", ".join(str(SCOPES.get(scope, scope)) for scope in link.scopes)

    # ── The end ─────────────────────────────────────────────────────────────────────────────

    def has_end_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("orders.change_agentlink"))

    @action(description=_("End the link"), permissions=["end"])
    def end_link(
        self, request: HttpRequest, queryset: QuerySet[AgentLink]
    ) -> HttpResponseBase | None:
        """End it as the shopper does: all that they have allowed this assistant."""
        links = {(link.user_id, link.client_id): link for link in queryset}
        form = reason_form(request)
        if not form.is_valid():
            return confirm_page(
                request,
                title=_("End the link"),
                question=_("End these links?"),
                label=_("End the link"),
                sentences=[
                    _("The assistant can’t read the shopper’s orders any more, from now on."),
                    _("The shopper may link it again."),
                ],
                facts=[
                    (link.client.name, format_html("<bdi>{}</bdi>", _shopper(link)))
                    for link in links.values()
                ],
                hidden=chosen_rows(request, "end_link"),
                form=form,
                back=request.get_full_path(),
                is_final=True,
                opts=self.opts,
            )
        ended = 0
        for (user_id, client_id), link in links.items():
            if not end_links(user_id=user_id, client_id=client_id):
                continue
            ended += 1
            # An entry about the account: with it the person's erasure finds the reason.
            reason = f"{link.client.name}: {form.typed}"
            self.record_action(request, _("End the link"), [link.user], reason=reason)
        words = ngettext("%(count)d link has ended.", "%(count)d links have ended.", ended)
        messages.success(request, words % {"count": ended})
        return None

    end_link.logs_itself = True


def _shopper(link: AgentLink) -> str:
    return readable_address(link.user.email) or link.user.get_username()
