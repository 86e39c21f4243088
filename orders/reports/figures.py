"""The figures of one day of the shop, in its time zone: two days of a year have 23 or 25 hours."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncDate
from django.urls import reverse

from orders.models import Order, OrderLine, Refund
from project.jobs.model import job_models
from project.jobs.queryset import Status

CHART_DAYS = 14
TOP = 5

_COUNTS = ~Q(status=Order.Status.CANCELLED)


@dataclass(frozen=True)
class Figures:
    day: date
    orders: int
    """The orders that were placed on the day and aren't cancelled."""
    cancelled: int
    units: int
    turnover: Decimal
    refunds: int
    refunded: Decimal
    """The refunds of the day, for orders of any day."""
    jobs_failed: int
    top: list[tuple[str, int, Decimal]]
    """Name, units, amount; the most units first."""
    turnover_by_day: list[tuple[date, Decimal]]
    """The turnover of two weeks; the report's day is the last one."""


def bounds(day: date) -> tuple[datetime, datetime]:
    """Return the beginning of the shop's day and of the next day."""
    zone = ZoneInfo(settings.TIME_ZONE)
    begin, end = (datetime.combine(d, time(), tzinfo=zone) for d in (day, day + timedelta(days=1)))
    return begin, end


def read_figures(day: date) -> Figures:
    """Read the day's current figures, always in nine queries."""
    begin, end = bounds(day)
    placed = Order.objects.filter(placed_at__gte=begin, placed_at__lt=end)
    lines = OrderLine.objects.filter(order__in=placed.filter(_COUNTS))
    counts = placed.aggregate(
        orders=Count("pk", filter=_COUNTS),
        cancelled=Count("pk", filter=~_COUNTS),
        turnover=Sum("total", filter=_COUNTS),
    )
    made = Refund.objects.filter(created_at__gte=begin, created_at__lt=end)
    refunds = made.exclude(status=Refund.Status.NOT_OWED).aggregate(
        count=Count("pk"), amount=Sum("amount")
    )
    return Figures(
        day=day,
        orders=counts["orders"],
        cancelled=counts["cancelled"],
        units=lines.aggregate(units=Sum("quantity"))["units"] or 0,
        turnover=counts["turnover"] or Decimal(0),
        refunds=refunds["count"],
        refunded=refunds["amount"] or Decimal(0),
        jobs_failed=sum(_failed(model, begin, end) for model in job_models()),
        top=list(
            lines.order_by()
            .values_list("name")
            .annotate(units=Sum("quantity"), amount=Sum(F("total") - F("discount")))
            .order_by("-units", "name")[:TOP]
        ),
        turnover_by_day=_turnover_by_day(day),
    )


def table(day: date) -> Iterator[list[Any]]:
    """Yield a row per order of the day, without names and addresses: the table goes by e-mail."""
    begin, end = bounds(day)
    placed = Order.objects.filter(placed_at__gte=begin, placed_at__lt=end).order_by("number")
    for order in placed.annotate(units=Sum("lines__quantity")).iterator():
        when = order.placed_at.astimezone(begin.tzinfo)
        yield [
            order.display_number,
            f"{when:%Y-%m-%d %H:%M:%S}",
            order.status,
            order.units,
            order.items_total,
            order.delivery_total,
            order.discount_total,
            order.total,
            order.currency,
        ]


HEADER = (
    "order",
    "placed",
    "status",
    "units",
    "items",
    "delivery",
    "discount",
    "total",
    "currency",
)


def _failed(model: type[Any], begin: datetime, end: datetime) -> int:
    ended = model.objects.filter(finished_at__gte=begin, finished_at__lt=end)
    count: int = ended.filter(status__in=(Status.FAILED, Status.UNKNOWN)).count()
    return count


def _turnover_by_day(day: date) -> list[tuple[date, Decimal]]:
    days = [day - timedelta(days=ago) for ago in range(CHART_DAYS - 1, -1, -1)]
    begin, end = bounds(days[0])[0], bounds(day)[1]
    zone = ZoneInfo(settings.TIME_ZONE)
    found = dict(
        Order.objects.filter(_COUNTS, placed_at__gte=begin, placed_at__lt=end)
        .order_by()
        .values_list(TruncDate("placed_at", tzinfo=zone))
        .annotate(Sum("total"))
    )
    return [(day, found.get(day, Decimal(0))) for day in days]


def report_context(figures: Figures) -> dict[str, Any]:
    """Return the message's context for the day."""
    return {
        "day": str(figures.day),
        "currency": settings.SHOP_CURRENCY,
        "orders": figures.orders,
        "cancelled": figures.cancelled,
        "units": figures.units,
        "turnover": str(figures.turnover),
        "before": str(figures.turnover_by_day[-2][1]),
        "refunds": figures.refunds,
        "refunded": str(figures.refunded),
        "jobs_failed": figures.jobs_failed,
        "top": [
            {"name": name, "units": units, "amount": str(amount)}
            for name, units, amount in figures.top
        ],
        "url": f"{settings.SITE_URL}{reverse('admin:index')}",
    }
