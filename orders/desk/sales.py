"""The overview's sales: today, 7 and 30 days against the period before, and their chart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.timezone import localtime, make_aware
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orders.reports.quarters import Sales, read_sales
from project.desk.charts import Bar, bars, sparkline
from project.templatetags.money import money

DAYS = (1, 7, 30)
TITLES: Mapping[int, str | Promise] = {
    1: gettext_lazy("Today"),
    7: gettext_lazy("Last 7 days"),
    30: gettext_lazy("Last 30 days"),
}


@dataclass(frozen=True)
class Change:
    """A figure against the one of the period before."""

    words: str
    """`+12 %`; empty if there was nothing before."""
    direction: str
    """`up`, `down` or `same`."""
    before: str
    """The figure of the period before."""


@dataclass(frozen=True)
class Measure:
    label: str | Promise
    value: str
    change: Change
    spark: SafeString


@dataclass(frozen=True)
class Period:
    title: str | Promise
    days: int
    url: str
    """The list of exactly the orders that are counted."""
    sales: Sales
    before: Sales
    measures: list[Measure]


@dataclass(frozen=True)
class Chart:
    title: str | Promise
    name: str
    """`today` or `days`."""
    picture: SafeString
    first: str
    last: str
    most: str
    """The highest bar's amount."""


def read_overview(now: datetime) -> tuple[list[Period], list[Chart]]:
    """Return the periods up to now and the charts, in one query.

    A period is of whole days of the shop's time zone, with today as its last one: so the list's
    days from–to show the same orders. The one before ends at the same time of the day.
    """
    today = localtime(now).date()
    first = _midnight(today - timedelta(days=2 * max(DAYS) - 1))
    cuts = {days: _at_same_time(now, days) for days in DAYS}
    hours, parts = read_sales(first, parts=[(_hour(cut), cut) for cut in cuts.values()])
    rest = dict(zip(DAYS, parts, strict=True))
    periods = []
    for days in DAYS:
        begin, before = (_midnight(today - timedelta(days=ago)) for ago in (days - 1, 2 * days - 1))
        current = _sum(hours, begin, None)
        earlier = _sum(hours, before, _hour(cuts[days])) + rest[days]
        steps = _by_hour(hours, today, now) if days == 1 else _by_day(hours, today, days)
        periods.append(
            Period(
                title=TITLES[days],
                days=days,
                url=orders_url(today - timedelta(days=days - 1), today),
                sales=current,
                before=earlier,
                measures=_measures(current, earlier, [sales for _begin, sales in steps]),
            )
        )
    return periods, [_hours_chart(hours, today, now), _days_chart(hours, today)]


def orders_url(first: date, last: date) -> str:
    """Return the list of the orders that count as sales of these days."""
    query = {"sales": "counted", "placed_at_from": str(first), "placed_at_to": str(last)}
    return f"{reverse('admin:orders_order_changelist')}?{urlencode(query)}"


def _midnight(day: date) -> datetime:
    return make_aware(datetime.combine(day, time.min))


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _at_same_time(now: datetime, days: int) -> datetime:
    """Return the same time of the day so many days ago, also across a change of the clocks."""
    local = localtime(now)
    return make_aware(local.replace(tzinfo=None) - timedelta(days=days))


def _sum(hours: Mapping[datetime, Sales], begin: datetime, end: datetime | None) -> Sales:
    return sum(
        (sales for hour, sales in hours.items() if begin <= hour and (end is None or hour < end)),
        Sales(),
    )


def _by_hour(
    hours: Mapping[datetime, Sales], day: date, now: datetime | None
) -> list[tuple[datetime, Sales]]:
    """Return the day's hours, which are 23 to 25, up to now."""
    # In UTC: Python counts between two times of one zone as if its clocks never changed.
    begin, end = (_midnight(d).astimezone(UTC) for d in (day, day + timedelta(days=1)))
    count = (end - begin) // timedelta(hours=1)
    starts = [localtime(begin + timedelta(hours=n)) for n in range(count)]
    by_start = {hour.timestamp(): sales for hour, sales in hours.items()}
    return [
        (start, by_start.get(start.timestamp(), Sales()))
        for start in starts
        if now is None or start <= now
    ]


def _by_day(hours: Mapping[datetime, Sales], today: date, days: int) -> list[tuple[date, Sales]]:
    found: dict[date, Sales] = {}
    for hour, sales in hours.items():
        day = localtime(hour).date()
        found[day] = found.get(day, Sales()) + sales
    wanted = [today - timedelta(days=ago) for ago in range(days - 1, -1, -1)]
    return [(day, found.get(day, Sales())) for day in wanted]


def _measures(now: Sales, before: Sales, steps: Sequence[Sales]) -> list[Measure]:
    currency = settings.SHOP_CURRENCY

    def amount(value: Any) -> str:
        return money(value, currency)

    def number(value: Any) -> str:
        return number_format(value, force_grouping=True)

    return [
        Measure(label, words(value), _change(value, old, words), sparkline(line, label=str(label)))
        for label, words, value, old, line in (
            (_("Orders"), number, now.orders, before.orders, [each.orders for each in steps]),
            (
                _("Revenue"),
                amount,
                now.amount,
                before.amount,
                [float(each.amount) for each in steps],
            ),
            (_("Units"), number, now.units, before.units, [each.units for each in steps]),
        )
    ]


def _change(value: Any, before: Any, words: Any) -> Change:
    if not before:
        return Change("", "up" if value else "same", words(before))
    percent = round((Decimal(value) / Decimal(before) - 1) * 100)
    direction = "up" if percent > 0 else "down" if percent < 0 else "same"
    sign = "+" if percent > 0 else "−" if percent < 0 else "±"
    return Change(f"{sign}{abs(percent)} %", direction, words(before))


def _bar(label: str, sales: Sales) -> Bar:
    orders = ngettext("%(count)d order", "%(count)d orders", sales.orders)
    words = f"{label}: {money(sales.amount, settings.SHOP_CURRENCY)}, {orders}"
    return Bar(float(sales.amount), words % {"count": sales.orders})


def _hours_chart(hours: Mapping[datetime, Sales], today: date, now: datetime) -> Chart:
    steps = _by_hour(hours, today, None)
    return Chart(
        title=_("Sales today by hour"),
        name="today",
        picture=bars(
            [_bar(f"{start:%H:%M}", sales) for start, sales in steps],
            label=_("Sales today by hour"),
        ),
        first="00:00",
        last="24:00",
        most=_most([sales for _start, sales in steps]),
    )


def _days_chart(hours: Mapping[datetime, Sales], today: date) -> Chart:
    steps = _by_day(hours, today, max(DAYS))
    labels = [date_format(day, "MONTH_DAY_FORMAT") for day, _sales in steps]
    return Chart(
        title=_("Sales of 30 days"),
        name="days",
        picture=bars(
            [_bar(label, sales) for label, (_day, sales) in zip(labels, steps, strict=True)],
            label=_("Sales of 30 days"),
        ),
        first=labels[0],
        last=labels[-1],
        most=_most([sales for _day, sales in steps]),
    )


def _most(steps: Sequence[Sales]) -> str:
    highest = max((sales.amount for sales in steps), default=Decimal(0))
    return money(highest, settings.SHOP_CURRENCY)
