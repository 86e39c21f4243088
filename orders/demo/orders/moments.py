"""When demo orders are placed: two years of days with their weeks, seasons and hours."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

DAYS = 730
WEEKDAYS = (1.05, 1.0, 1.0, 0.97, 0.9, 0.85, 1.2)
"""Monday to Sunday."""
MONTHS = (0.9, 0.85, 0.95, 1.0, 1.0, 0.95, 0.85, 0.85, 1.0, 1.05, 1.35, 1.6)
HOURS = (4, 2, 1, 1, 1, 2, 5, 9, 14, 19, 22, 23, 24, 21, 20, 20, 21, 24, 29, 35, 38, 33, 22, 11)
GROWTH = 0.6
"""The last day has this share more orders than the first."""


def moments(*, orders: int, until: datetime, seed: int) -> Iterator[datetime]:
    """Yield the times of so many orders, the earliest first; the last day ends at `until`.

    `until` is in the shop's time zone, whose weekdays and hours count.
    """
    first = until - timedelta(days=DAYS)
    weights = [_weight(first + timedelta(days=day), day, seed) for day in range(DAYS)]
    total, reached, given = sum(weights), 0.0, 0
    for day, weight in enumerate(weights):
        reached += weight
        upto = orders if day == DAYS - 1 else round(orders * reached / total)
        yield from _of_day(first + timedelta(days=day), upto - given, Random(f"{seed}/day/{day}"))
        given = upto


def _weight(date: datetime, day: int, seed: int) -> float:
    weather = Random(f"{seed}/weather/{day}").uniform(0.88, 1.12)
    growth = 1 + GROWTH * day / DAYS
    return WEEKDAYS[date.weekday()] * MONTHS[date.month - 1] * growth * weather


def _of_day(begin: datetime, count: int, random: Random) -> Iterator[datetime]:
    hours = random.choices(range(24), HOURS, k=count)
    for second in sorted(hour * 3600 + random.random() * 3600 for hour in hours):
        yield begin + timedelta(seconds=second)
