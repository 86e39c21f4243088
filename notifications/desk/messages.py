"""The list of messages, and the page of a message with its text, log and receipt."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.filters import DateFieldListFilter
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy
from unfold.decorators import display

from notifications.delivery.log import read_attempts
from notifications.delivery.stored_html import html_again, stored_html
from notifications.desk.all_at_once import AllAtOncePages
from notifications.desk.channels import warn_of_channels
from notifications.desk.decisions import ALL_AT_ONCE, DECISIONS
from notifications.desk.errors import errors_with, has_error
from notifications.desk.filters import ErrorFilter, EventFilter, event_label
from notifications.desk.resend import ResendPages
from notifications.events import EVENTS
from notifications.models import SYNTHETIC, Notification
from notifications.resending import copies_of
from project.desk.jobs import isolated
from project.desk.limits import warn_of_reached_caps
from project.desk.search_terms import has_address, phone_endings
from project.desk.sheets import Column
from project.email_addresses import readable_address
from project.text import isolate

DELIVERY_COLOURS = {
    Notification.Delivery.DELIVERED.value: "success",
    Notification.Delivery.BOUNCED.value: "danger",
    Notification.Delivery.COMPLAINED.value: "danger",
}


@admin.register(Notification)
class NotificationAdmin(AllAtOncePages, ResendPages):
    decisions = DECISIONS
    all_at_once = ALL_AT_ONCE
    change_form_template = "notifications/desk.html"
    # Without "finished": on a desktop beside the menu there is no room for it.
    list_display = ("about", "state", "delivered", "order", "attempts", "reason", "queued")
    list_filter = (
        "status",
        "channel",
        "delivery",
        ErrorFilter,
        ("created_at", DateFieldListFilter),
        "maybe_duplicate",
        EventFilter,
    )
    sheet_columns = (
        Column(_("recipient"), lambda message: readable_address(message.recipient)),
        Column(
            pgettext_lazy("message", "delivery"), lambda message: message.get_delivery_display()
        ),
    )
    search_fields = ("recipient", "error")
    search_help_text = _("Order number, recipient, id, or words of the error.")

    def matches_words(self, text: str) -> Q:
        """Find a recipient by its beginning, or the messages whose errors have these words."""
        found = Q(pk__in=[])
        if len(text.split()) == 1:
            found |= has_address("recipient", text)
        for ending in phone_endings(text):
            found |= has_address("recipient", f"+{ending}")
        if "@" not in text and (errors := errors_with(text)):
            found |= has_error(errors)
        return found

    def left(self, count: int) -> str:
        text = ngettext(
            "%(count)d message is left: decide once more.",
            "%(count)d messages are left: decide once more.",
            count,
        )
        return text % {"count": count}

    about_fields = (
        ("recipient_shown", "language"),
        ("channel", "gateway"),
        ("provider_id", "maybe_duplicate"),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return super().get_search_results(request, self.listed(queryset), search_term)

    def listed(self, jobs: QuerySet[Any]) -> QuerySet[Any]:
        """Leave out those of a performance run: nobody gets them, and the run takes them away.

        While there are none, the condition would only keep the count from being read by an index.
        """
        synthetic = Notification.objects.filter(event=SYNTHETIC)
        return jobs.exclude(event=SYNTHETIC) if synthetic.exists() else jobs

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        warn_of_channels(request)
        warn_of_reached_caps(request)
        return super().changelist_view(request, extra_context)

    @display(
        description=pgettext_lazy("message", "delivery"),
        ordering="delivery",
        label=DELIVERY_COLOURS,
    )
    def delivered(self, message: Notification) -> tuple[str, str] | str:
        return (message.delivery, message.get_delivery_display()) if message.delivery else ""

    def kinds(self) -> list[tuple[str, Any]]:
        return [(name, event.label) for name, event in EVENTS.items()]

    def of_kind(self, jobs: QuerySet[Any], kind: str) -> QuerySet[Any]:
        return jobs.filter(event=kind)

    def same_error(self) -> F:
        return F("same_error")

    def with_error(self, jobs: QuerySet[Any], error: str) -> QuerySet[Any]:
        return jobs.filter(has_error([error]))

    @display(description=_("recipient"))
    def recipient_shown(self, message: Notification) -> SafeString:
        return isolated(readable_address(message.recipient))

    def summary(self, job: Notification) -> str:
        return _("%(event)s · %(channel)s to %(recipient)s") % {
            "event": event_label(job.event),
            "channel": job.get_channel_display(),
            "recipient": isolate(readable_address(job.recipient)),
        }

    def page_context(self, request: HttpRequest, job: Notification) -> dict[str, Any]:
        stored = stored_html(job)
        return {
            **super().page_context(request, job),
            "html": stored or html_again(job),
            "html_is_stored": bool(stored),
            "attempts": list(read_attempts(job)),
            "resend_url": self.resend_url(request, job),
            "resent_from": Notification.objects.filter(pk=job.resent_from).first()
            if job.resent_from
            else None,
            "copies": copies_of(job),
            "delivery_colour": DELIVERY_COLOURS.get(job.delivery, ""),
            "same_error": urlencode({"error": job.same_error}) if job.same_error else "",
        }
