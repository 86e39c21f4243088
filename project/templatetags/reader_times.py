"""Dates and times in the shop as its reader writes them: “Nov. 28, 2026, 2:05 p.m.”."""

from datetime import date, datetime, timedelta
from types import ModuleType

from django import template
from django.conf.locale.en import formats as en  # type: ignore[import-untyped]
from django.conf.locale.zh_Hans import formats as zh_hans  # type: ignore[import-untyped]
from django.utils.dateformat import format as format_date
from django.utils.translation import get_language

register = template.Library()

FORMATS = {"en": en, "zh-hans": zh_hans}


@register.filter(expects_localtime=True)
def reader_time(moment: datetime) -> str:
    """Return the date and time in the reader's form and the shop's time zone."""
    return format_date(moment, _formats().DATETIME_FORMAT)


@register.filter
def hours_later(moment: str, hours: int) -> datetime:
    """Return the time so many hours after the moment, which a message's context has as text."""
    return datetime.fromisoformat(moment) + timedelta(hours=hours)


@register.filter(expects_localtime=True)
def reader_clock(moment: datetime) -> str:
    """Return the time of day in the reader's form and the shop's time zone."""
    return format_date(moment, _formats().TIME_FORMAT)


@register.filter(expects_localtime=True)
def reader_date(day: date) -> str:
    """Return the date in the reader's form."""
    return format_date(day, _formats().DATE_FORMAT)


def _formats() -> ModuleType:
    return FORMATS.get(get_language() or "en", en)
