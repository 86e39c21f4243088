"""The list of channels: which gateway works, and what waits for those that don't."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from notifications import breaker
from notifications.models import ChannelState, Notification
from project.admin import ReadOnlyAdmin
from project.job_admin import moment


@admin.register(ChannelState)
class ChannelAdmin(ReadOnlyAdmin):
    """Channels that once failed. A closed one needs nobody; an open one says why and since when."""

    list_display = ("name", "state", "waiting", "since", "next_try", "error")
    actions = ("try_now",)

    @display(description=_("channel"), ordering="gateway")
    def name(self, channel: ChannelState) -> str:
        return str(channel)

    @display(description=_("state"), label={"working": "success", "down": "danger"})
    def state(self, channel: ChannelState) -> tuple[str, Any]:
        return ("down", _("not working")) if channel.openings else ("working", _("working"))

    @display(description=_("waiting"))
    def waiting(self, channel: ChannelState) -> int:
        return Notification.objects.filter(gateway=channel.gateway).parked().count()

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
