"""Flat rate: one price for any parcel, by the country that it goes to."""

from collections.abc import Mapping
from decimal import Decimal

from django.utils.translation import gettext as _

from notifications.channels.deadline import Deadline
from orders.quotes.carrier import Answer
from orders.quotes.parcel import Missing, Parcel, Quote, Why
from project.conf.delivery import ELSEWHERE


class FlatRate:
    name = "flat-rate"
    is_remote = False
    needs_address = True

    def __init__(self, prices: Mapping[str, Decimal], *, days: int) -> None:
        """`prices` are by country; that of ELSEWHERE is for the others."""
        self.prices, self.days = prices, days

    def ask(self, parcel: Parcel, deadline: Deadline) -> Answer:
        price = self.prices.get(parcel.country, self.prices.get(ELSEWHERE))
        if price is None:
            return Answer(missing=(Missing(self.name, Why.NOT_THERE),))
        return Answer((Quote(self.name, "standard", _("Standard delivery"), price, self.days),))
