"""Messages at the operator's desk: what was said to whom, and what became of it."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from notifications import breaker
from notifications.events import EVENTS
from notifications.models import ChannelState, Notification
from project.admin import ReadOnlyAdmin
from project.job_admin import JobAdmin, moment
from project.job_decisions import RETRY, Decision
from project.jobs import Status

SENT_AFTER_ALL = Decision(
    name="sent",
    label=_("Sent after all"),
    statuses=(Status.UNKNOWN,),
    apply=lambda messages: messages.confirm_sent(),
    report=lambda count: (
        ngettext(
            "%(count)d message is noted as sent.", "%(count)d messages are noted as sent.", count
        )
        % {"count": count}
    ),
)
SEND_AGAIN = Decision(
    name="again",
    label=_("Send again"),
    statuses=(Status.UNKNOWN,),
    apply=lambda messages: messages.send_again(),
    report=lambda count: (
        ngettext(
            "%(count)d message will be sent again.", "%(count)d messages will be sent again.", count
        )
        % {"count": count}
    ),
)


@admin.register(Notification)
class NotificationAdmin(JobAdmin):
    decisions = (RETRY, SENT_AFTER_ALL, SEND_AGAIN)
    change_form_template = "notifications/desk.html"
    list_filter = ("status", "channel", "event", "maybe_duplicate")
    search_fields = ("recipient", "error")
    search_help_text = _("Order number, recipient, id, or words of the error.")
    about_fields = (
        ("recipient", "channel"),
        ("language", "maybe_duplicate"),
        "provider_id",
    )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        for state in ChannelState.objects.filter(openings__gt=0):
            down = _("%(channel)s isn't working, so its messages wait: %(error)s")
            messages.warning(request, down % {"channel": state, "error": state.error})
        return super().changelist_view(request, extra_context)

    def summary(self, job: Notification) -> str:
        return _("%(event)s · %(channel)s to %(recipient)s") % {
            "event": _event_label(job.event),
            "channel": job.get_channel_display(),
            "recipient": job.recipient,
        }


@admin.register(ChannelState)
class ChannelAdmin(ReadOnlyAdmin):
    """Channels that once failed. A closed one needs nobody; an open one says why and since when."""

    list_display = ("channel", "state", "waiting", "since", "next_try", "error")
    actions = ("try_now",)

    @display(description=_("state"), label={"working": "success", "down": "danger"})
    def state(self, channel: ChannelState) -> tuple[str, Any]:
        return ("down", _("not working")) if channel.openings else ("working", _("working"))

    @display(description=_("waiting"))
    def waiting(self, channel: ChannelState) -> int:
        return Notification.objects.filter(channel=channel.channel).parked().count()

    @display(description=_("not working since"), ordering="opened_at")
    def since(self, channel: ChannelState) -> SafeString:
        return moment(channel.opened_at)

    @display(description=_("next try"), ordering="open_until")
    def next_try(self, channel: ChannelState) -> SafeString:
        return moment(channel.open_until)

    @action(description=_("Try now"), permissions=["decide"])
    def try_now(self, request: HttpRequest, queryset: QuerySet[ChannelState]) -> None:
        if breaker.try_now(queryset):
            messages.success(request, _("The next message tries at once."))
        else:
            messages.warning(request, _("Nothing to do: the channel works."))

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notifications.change_channelstate")


def _event_label(name: str) -> str | Promise:
    """What the event is called; one that the table no longer has keeps its own name."""
    event = EVENTS.get(name)
    return event.label if event else name
