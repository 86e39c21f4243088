"""The carriers that the shop uses, by the settings DELIVERY_…"""

from django.conf import settings

from orders.quotes.carrier import Carrier
from orders.quotes.carriers.by_weight import ByWeight
from orders.quotes.carriers.flat_rate import FlatRate
from orders.quotes.carriers.http import HttpCarrier
from orders.quotes.carriers.pickup import Pickup
from orders.quotes.carriers.table import RateTable


def used_carriers() -> list[Carrier]:
    """Return the carriers among which the shopper chooses; their names differ."""
    carriers: list[Carrier] = []
    if settings.DELIVERY_FLAT_RATE:
        carriers.append(FlatRate(settings.DELIVERY_FLAT_RATE, days=settings.DELIVERY_DAYS))
    if settings.DELIVERY_BY_WEIGHT:
        carriers.append(ByWeight(settings.DELIVERY_BY_WEIGHT, days=settings.DELIVERY_DAYS))
    carriers += [HttpCarrier(name, url) for name, url in settings.DELIVERY_CARRIERS.items()]
    if settings.DELIVERY_SIMULATED:
        from orders.quotes.carriers.simulated import SIMULATED  # in a local run only

        carriers += SIMULATED
    if settings.DELIVERY_TABLE:
        carriers.append(RateTable())
    if settings.DELIVERY_PICKUP:
        carriers.append(Pickup())
    return carriers
