"""A table of prices, by service and country (`manage.py ucp_load` fills it). DELIVERY_TABLE."""

from django.conf import settings
from django.db.models import Q

from notifications.channels.deadline import Deadline
from orders.models import DeliveryRate
from orders.quotes.carrier import Answer
from orders.quotes.parcel import Missing, Parcel, Quote, Why


class RateTable:
    name = "rates"
    is_remote = False
    needs_address = True
    days = None

    def ask(self, parcel: Parcel, deadline: Deadline) -> Answer:
        """Read the rates of the country; those for anywhere count where it has none of its own."""
        rows = DeliveryRate.objects.filter(Q(country=parcel.country) | Q(country=""))
        best: dict[str, DeliveryRate] = {}
        for rate in rows.order_by("country"):
            best[rate.service] = rate  # the country's own comes last
        if not best:
            return Answer(missing=(Missing(self.name, Why.NOT_THERE),))
        return Answer(
            tuple(
                Quote(self.name, rate.code, rate.label, rate.price, settings.DELIVERY_DAYS)
                for rate in sorted(best.values(), key=lambda rate: rate.price)
            )
        )
