"""Pick-up: the shopper comes to the shop. It costs nothing and needs no address."""

from decimal import Decimal

from django.utils.translation import gettext as _

from notifications.channels.deadline import Deadline
from orders.quotes.carrier import Answer
from orders.quotes.parcel import Parcel, Quote

NAME = "pickup"


class Pickup:
    name = NAME
    is_remote = False
    needs_address = False
    days = 0

    def ask(self, parcel: Parcel, deadline: Deadline) -> Answer:
        label = _("Pick up in the shop")
        return Answer((Quote(NAME, "shop", label, Decimal("0.00"), days=0),))
