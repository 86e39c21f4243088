"""Carriers for tests: they answer at once, late, wrongly or not at all, and count the questions."""

import threading
import time
from decimal import Decimal
from typing import Any

from notifications.channels.deadline import Deadline
from orders.quotes.carrier import Answer
from orders.quotes.parcel import Item, Parcel, Quote

PARCEL = Parcel((Item("MUG", 2, 400),), country="DE", postcode="10115", city="Berlin")


class FakeCarrier:
    """A remote carrier that answers after `seconds`, with a price or by raising `error`."""

    is_remote = True
    needs_address = True
    days = None

    def __init__(
        self,
        name: str,
        *,
        seconds: float = 0,
        price: str = "5.00",
        error: Exception | None = None,
        hangs_on: threading.Event | None = None,
    ) -> None:
        self.name, self.seconds, self.price = name, seconds, price
        self.error, self.hangs_on = error, hangs_on
        self.asked: list[Parcel] = []

    def ask(self, parcel: Parcel, deadline: Deadline) -> Answer:
        self.asked.append(parcel)
        if self.hangs_on is not None:
            self.hangs_on.wait(30)
        time.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        return Answer((Quote(self.name, "std", f"{self.name} std", Decimal(self.price), 2),))


def said(service: str = "std", **changes: Any) -> dict[str, Any]:
    """One quote as a carrier writes it."""
    return {"service": service, "price": "5.90", "currency": "EUR", "days": 2, **changes}
