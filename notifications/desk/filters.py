"""What the list of messages is narrowed down by."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, F, Q, QuerySet, TextField, Value
from django.db.models.expressions import Func
from django.db.models.functions import Left, Trim
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from notifications.events import EVENTS
from notifications.models import Notification
from project.job_queue import Status

PARTICULAR = r"\y(?=[[:alnum:]]*[0-9])[[:alnum:]-]{8,}\y"
"""What differs between two errors of the same cause: ids, queue numbers, times."""
MAX_ERROR = 200
SAMPLE = 5000
"""Of how many messages that need attention, the latest, the most frequent errors are offered."""
OFFERED = 10


def same_error() -> Left:
    """The error without what is particular to one message: its recipient, ids, long numbers.

    An expression, so that a list of any length is filtered by it in the database.
    """
    names = (F("error"), F("recipient"), Value("…"))
    anonymous = Func(*names, function="replace", output_field=TextField())
    plain = _replace(r"\s+", " ", _replace(PARTICULAR, "…", anonymous))
    return Left(Trim(plain), MAX_ERROR)


def _replace(pattern: str, by: str, text: Any) -> Any:
    arguments = (text, Value(pattern), Value(by), Value("g"))
    return Func(*arguments, function="regexp_replace", output_field=TextField())


def event_label(name: str) -> str | Promise:
    """What the event is called; one that the table no longer has keeps its own name."""
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
        troubled = Notification.objects.filter(status__in=(Status.FAILED, Status.UNKNOWN))
        latest = troubled.order_by("-finished_at").values("pk")[:SAMPLE]
        errors = (
            Notification.objects.filter(pk__in=latest)
            .exclude(error="")
            .annotate(same=same_error())
            .order_by()
            .values_list("same")
            .annotate(count=Count("pk"))
            .order_by("-count", "same")[:OFFERED]
        )
        found = [(same, f"{Truncator(same).chars(60)} ({count})") for same, count in errors]
        chosen = self.used_parameters.get(self.parameter_name)
        if chosen and chosen not in dict(found):
            found.append((chosen, Truncator(chosen).chars(60)))
        return found

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Notification]
    ) -> QuerySet[Notification]:
        chosen = self.value()
        if not chosen:
            return queryset
        # Two partial indexes know these: the long history of what went well isn't read.
        unfinished = Q(status=Status.QUEUED) | Q(status__in=(Status.FAILED, Status.UNKNOWN))
        return queryset.filter(unfinished).alias(same=same_error()).filter(same=chosen)
