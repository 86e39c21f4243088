"""Three carriers of a local run, each with a delay and a fault of its own. They carry nothing.

They are in-process, and what they answer goes the way of any HTTP carrier's answer: in a thread,
under the deadline, and through the checks.
"""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings

from notifications.channels.deadline import Deadline
from orders.quotes.carrier import Answer, CarrierError
from orders.quotes.parcel import Parcel
from orders.quotes.sense import sensible

HEAVY = 20_000
"""Grams."""


class Simulated:
    is_remote = True
    needs_address = True
    days = None

    def __init__(
        self, name: str, *, delay: float, answer: Callable[[Parcel], list[dict[str, Any]]]
    ) -> None:
        self.name, self.delay, self.answer = name, delay, answer

    def ask(self, parcel: Parcel, deadline: Deadline) -> Answer:
        """Answer after the delay, as late as a carrier that doesn't know the deadline."""
        time.sleep(min(self.delay, deadline.remaining()))
        deadline.remaining()
        return sensible(self.name, self.answer(parcel))


def _quote(service: str, label: str, cents: int, days: int) -> dict[str, Any]:
    price = f"{cents // 100}.{cents % 100:02}"
    currency = settings.SHOP_CURRENCY
    return {
        "service": service, "label": label, "price": price, "currency": currency, "days": days,
    }  # fmt: skip


def _swift(parcel: Parcel) -> list[dict[str, Any]]:
    """Quick, and dear; its night service is always quoted in a currency that isn't the shop's."""
    night = _quote("night", "Swift by night", 1990, 1) | {"currency": "XTS"}
    return [_quote("express", "Swift Express", 990 + parcel.weight // 50, 1), night]


def _steady(parcel: Parcel) -> list[dict[str, Any]]:
    return [
        _quote("standard", "Steady Standard", 450 + parcel.weight // 100, 3),
        _quote("green", "Steady Green", 520 + parcel.weight // 100, 5),
    ]


def _moody(parcel: Parcel) -> list[dict[str, Any]]:
    """Cheap; it is broken wherever the postcode ends in 9."""
    if parcel.postcode.endswith("9"):
        raise CarrierError("503 moody today")
    return [_quote("saver", "Moody Saver", 290 + parcel.weight // 200, 6)]


class _LateWhenHeavy(Simulated):
    """It thinks beyond any deadline about what is heavy."""

    def ask(self, parcel: Parcel, deadline: Deadline) -> Answer:
        if parcel.weight > HEAVY:
            time.sleep(deadline.remaining())
        return super().ask(parcel, deadline)


SIMULATED = (
    Simulated("swift", delay=0.12, answer=_swift),
    _LateWhenHeavy("steady", delay=0.35, answer=_steady),
    Simulated("moody", delay=0.7, answer=_moody),
)
