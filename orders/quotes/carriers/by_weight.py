"""By weight: the price of the first step that the parcel isn't too heavy for."""

from collections.abc import Sequence
from decimal import Decimal

from django.utils.translation import gettext as _

from notifications.channels.deadline import Deadline
from orders.quotes.carrier import Answer
from orders.quotes.parcel import Missing, Parcel, Quote, Why


class ByWeight:
    name = "by-weight"
    is_remote = False
    needs_address = True

    def __init__(self, steps: Sequence[tuple[int, Decimal]], *, days: int) -> None:
        """`steps` are the most grams and their price, the lightest first."""
        self.steps, self.days = steps, days

    def ask(self, parcel: Parcel, deadline: Deadline) -> Answer:
        for most, price in self.steps:
            if parcel.weight <= most:
                label = _("Parcel, by weight")
                return Answer((Quote(self.name, "parcel", label, price, self.days),))
        return Answer(missing=(Missing(self.name, Why.NOT_THERE),))
