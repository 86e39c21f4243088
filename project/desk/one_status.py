"""A worklist's filter: the rows of one status at a time, and of what is to do without a choice."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, TextChoices
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

STATUS = "status"
"""The list's parameter."""


class OneStatus(admin.SimpleListFilter):
    """Each status has its part of an index, and the list may have an order of its own for it."""

    title = _("status")
    parameter_name = STATUS
    statuses: type[TextChoices]
    to_do: str
    """The status of the worklist."""

    @classmethod
    def chosen(cls, request: HttpRequest) -> str:
        """Return the status of the rows that the list shows."""
        asked = request.GET.get(STATUS, "")
        return asked if asked in cls.statuses.values else str(cls.to_do)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        self.shown = self.chosen(request)
        return [(status.value, status.label) for status in self.statuses]

    def choices(self, changelist: Any) -> Any:
        for value, label in self.lookup_choices:
            yield {
                "selected": value == self.shown,
                "query_string": changelist.get_query_string({STATUS: value}),
                "display": label,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(status=self.chosen(request))
