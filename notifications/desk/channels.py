"""The list of channels: each gateway's state and waiting messages, and pausing it."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from notifications.delivery import breaker, pausing
from notifications.delivery.gateways import all_gateways
from notifications.models import ChannelState, Notification
from project.admin import ReadOnlyAdmin
from project.desk.confirming import ReasonForm, chosen_rows, confirm_page
from project.desk.jobs import in_zone, isolated, moment, untranslated
from project.desk.record_page import RecordPage
from project.text import isolate


def in_words(error: str) -> str:
    """Return the reason that a channel isn't working, its first words in the reader's language.

    What follows in brackets is what the other side said, and in its words.
    """
    sentence, bracket, said = error.partition(" (")
    return f"{gettext(sentence) if sentence else ''}{bracket}{said}"


def warn_of_channels(request: HttpRequest) -> None:
    """Show on the page the channels whose messages wait, with the reasons."""
    for state in ChannelState.objects.exclude(openings=0, paused_at=None):
        if state.paused_at:
            words = _("%(channel)s is paused by %(user)s, so its messages wait.")
            if state.pause_reason:
                words = _("%(channel)s is paused by %(user)s, so its messages wait: %(reason)s")
        else:
            words = _("%(channel)s isn't working, so its messages wait: %(error)s")
        messages.warning(
            request,
            words
            % {
                "channel": state,
                "user": isolate(state.paused_by),
                "reason": isolate(state.pause_reason),
                "error": in_words(state.error),
            },
        )


@admin.register(ChannelState)
class ChannelAdmin(ReadOnlyAdmin, RecordPage):
    """All gateways that are or were configured; one with a problem shows its reason and begin."""

    COLOURS = {"working": "success", "down": "danger", "paused": "warning", "unused": ""}
    list_display = ("name", "state", "waiting", "since", "next_try", "reason")
    actions = ("try_now", "pause", "resume")
    change_form_template = "notifications/channel.html"
    fields = ("name", "waiting", "since", "next_try", "reason")
    readonly_fields = fields

    def page_context(self, request: HttpRequest, channel: ChannelState) -> dict[str, Any]:
        colour, words = self.state(channel)
        wanted = "resume" if channel.paused_at else "pause"
        names = [wanted, "try_now"] if channel.openings else [wanted]
        known = self.get_actions(request)  # none for an operator who may only look
        return {
            "subtitle": None,
            "title": str(channel),
            "state": words,
            "state_colour": self.COLOURS[colour],
            "decisions": [(name, known[name][2]) for name in names if name in known],
        }

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        # A gateway that never failed has no row yet, and could not be paused.
        ChannelState.objects.bulk_create(
            [ChannelState(gateway=gateway.name) for gateway in all_gateways()],
            ignore_conflicts=True,
        )
        return super().changelist_view(request, extra_context)

    @display(description=_("channel"), ordering="gateway")
    def name(self, channel: ChannelState) -> str:
        return str(channel)

    @display(description=_("state"), label=COLOURS)
    def state(self, channel: ChannelState) -> tuple[str, Any]:
        if channel.gateway not in {gateway.name for gateway in all_gateways()}:
            return "unused", _("not used any more")
        if channel.paused_at:
            return "paused", _("paused by %(user)s") % {"user": channel.paused_by}
        return ("down", _("not working")) if channel.openings else ("working", _("working"))

    @display(description=_("waiting"))
    def waiting(self, channel: ChannelState) -> int:
        return Notification.objects.filter(gateway=channel.gateway).parked().count()

    @display(description=_("since"))
    def since(self, channel: ChannelState) -> SafeString:
        return moment(channel.paused_at or channel.opened_at)

    @display(description=in_zone(_("next try")), ordering="open_until")
    def next_try(self, channel: ChannelState) -> SafeString:
        return moment(channel.open_until)

    @display(description=_("reason"), ordering="error")
    def reason(self, channel: ChannelState) -> SafeString:
        """Why it is paused, else why it isn't working."""
        if channel.paused_at:
            return isolated(channel.pause_reason or "–")
        return untranslated(in_words(channel.error))

    @action(description=_("Try now"), permissions=["decide"])
    def try_now(self, request: HttpRequest, queryset: QuerySet[ChannelState]) -> None:
        if breaker.try_now(queryset):
            messages.success(request, _("The next message tries at once."))
        else:
            messages.warning(request, _("Nothing to do: the channel works."))

    @action(description=_("Pause: messages wait"), permissions=["decide"])
    def pause(
        self, request: HttpRequest, queryset: QuerySet[ChannelState]
    ) -> HttpResponseBase | None:
        """Ask why, and pause the channels."""
        working = queryset.filter(paused_at=None)
        form = ReasonForm(request.POST if "reason" in request.POST else None, is_needed=True)
        if not form.is_valid():
            names = pgettext("between parts", ", ").join(str(channel) for channel in working)
            return confirm_page(
                request,
                title=_("Pause"),
                question=_("Pause %(channels)s?") % {"channels": names}
                if names
                else _("Nothing to do: it is paused already."),
                label=_("Pause") if names else "",
                sentences=[_("Messages wait until an operator resumes the channel.")],
                hidden=chosen_rows(request, "pause"),
                form=form,
                back=request.get_full_path(),
                opts=self.opts,
            )
        rows = list(working)
        count = pausing.pause(queryset, by=request.user.get_username(), reason=form.typed)
        self.record_action(request, _("Pause"), rows, reason=form.typed)
        words = ngettext(
            "%(count)d channel is paused: its messages wait until you resume it.",
            "%(count)d channels are paused: their messages wait until you resume them.",
            count,
        )
        messages.success(request, words % {"count": count})
        return None

    pause.logs_itself = True

    @action(description=_("Resume"), permissions=["decide"])
    def resume(self, request: HttpRequest, queryset: QuerySet[ChannelState]) -> None:
        count = pausing.resume(queryset)
        words = ngettext(
            "%(count)d channel goes on, with all that has waited.",
            "%(count)d channels go on, with all that has waited.",
            count,
        )
        messages.success(request, words % {"count": count})

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notifications.change_channelstate")
