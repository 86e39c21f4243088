"""A list's filter by days of the shop's time zone, the first and the last one included."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import make_aware
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.utils import parse_date_str


class DayRangeFilter(RangeDateFilter):
    """unfold's own filter compares a time with the last day's midnight: it leaves that day out."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if first := self._midnight("from", days=0):
            queryset = queryset.filter(**{f"{self.field_path}__gte": first})
        if after := self._midnight("to", days=1):
            queryset = queryset.filter(**{f"{self.field_path}__lt": after})
        return queryset

    def _midnight(self, end: str, *, days: int) -> datetime | None:
        """Return the midnight with which the chosen day begins, or that of the days after it."""
        return midnight(self.used_parameters.get(f"{self.parameter_name}_{end}"), days=days)


def midnight(typed: Any, *, days: int = 0) -> datetime | None:
    """Return the midnight with which the typed day begins, or that of the days after it."""
    try:
        day = parse_date_str(typed) if isinstance(typed, str) else None
    except ValueError:
        return None
    return begin_of(day, days=days) if day else None


def begin_of(day: date, *, days: int = 0) -> datetime | None:
    """Return the midnight with which the day begins, or that of the days after it.

    None if no calendar has it.
    """
    try:
        return make_aware(datetime.combine(day + timedelta(days), time.min))
    except (ValueError, OverflowError):
        return None
