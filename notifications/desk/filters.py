"""The filters of the list of messages."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from notifications.desk.errors import frequent_errors, has_error
from notifications.events import EVENTS
from notifications.models import Notification

OFFERED = 10


def event_label(name: str) -> str | Promise:
    """Return the event's label; an event that the table no longer has shows its name."""
    event = EVENTS.get(name)
    return event.label if event else name


class EventFilter(admin.SimpleListFilter):
    title = _("event")
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, event.label) for name, event in EVENTS.items()]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Notification]
    ) -> QuerySet[Notification]:
        return queryset.filter(event=self.value()) if self.value() else queryset


class ErrorFilter(admin.SimpleListFilter):
    """Messages that failed, or wait, for the same reason."""

    title = _("same error")
    parameter_name = "error"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        found = [
            (same, f"{Truncator(same).chars(60)} ({count})")
            for same, count in frequent_errors(OFFERED)
        ]
        chosen = self.used_parameters.get(self.parameter_name)
        if chosen and chosen not in dict(found):
            found.append((chosen, Truncator(chosen).chars(60)))
        return found

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Notification]
    ) -> QuerySet[Notification]:
        chosen = self.value()
        return queryset.filter(has_error([chosen])) if chosen else queryset
