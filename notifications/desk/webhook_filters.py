"""What the lists of webhooks are filtered by."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from notifications.models import WebhookEndpoint
from notifications.webhooks.events import EVENTS, TEST, event_label
from notifications.webhooks.wellbeing import TROUBLES

State = WebhookEndpoint.Status
TROUBLE_LABELS: dict[str, str | Promise] = {
    "silent": _("Doesn't answer"),
    "refusing": _("Refuses"),
    "gone": _("Switched itself off"),
}


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*State.choices, *TROUBLE_LABELS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if trouble := TROUBLES.get(self.value() or ""):
            return queryset.filter(trouble)
        return queryset.filter(status=self.value()) if self.value() else queryset


class KindFilter(admin.SimpleListFilter):
    title = _("event")
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, event_label(name)) for name in (*EVENTS, TEST)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(kind=self.value()) if self.value() else queryset
