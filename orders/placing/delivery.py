"""The delivery of an order that is being placed: its quote, taken before the writers get it.

A carrier that answers over the network is asked by `quote_ahead`, before the order has its turn
and outside any transaction. Our own carriers are reckoned by `price`, like the lines.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext as _

from orders.placing.errors import DeliveryChanged, FieldError, InvalidOrder
from orders.placing.offers import Offer, look_up
from orders.placing.request import ChosenDelivery, OrderRequest
from orders.quotes.basket import NotQuoted, UnknownCarrier, chosen_quote, is_remote
from orders.quotes.carriers.pickup import NAME as PICKUP
from orders.quotes.parcel import Quote, parcel_of
from orders.taxes.rates import country_of


def quote_ahead(
    request: OrderRequest, *, order_ids: Iterable[UUID]
) -> Quote | DeliveryChanged | None:
    """Return the quote of a remote carrier, or why it quotes nothing.

    None if no carrier is to be asked: the order has none, or one of our own; it exists already; or
    it can't be placed anyway. `price` finds that out.
    """
    chosen = request.delivery
    if chosen is None or not request.address or not is_remote(chosen.carrier):
        return None
    placed_id, offers = look_up(
        order_ids=order_ids, skus=request.merged_lines, country=country_of(request.address)
    )
    if placed_id is not None or request.merged_lines.keys() - offers.keys():
        return None
    try:
        return quote_of(request, chosen, offers)
    except DeliveryChanged as changed:
        return changed


def quote_of(request: OrderRequest, chosen: ChosenDelivery, offers: Mapping[str, Offer]) -> Quote:
    """Return the quote of the chosen service. Raises InvalidOrder and DeliveryChanged.

    Of a remote carrier it may ask over the network.
    """
    if chosen.carrier == PICKUP and request.address:
        message = _("An order that is picked up has no address.")
        raise InvalidOrder([FieldError("delivery.carrier", message)])
    if chosen.carrier != PICKUP and not request.address:
        message = _("An order that is delivered needs an address.")
        raise InvalidOrder([FieldError("delivery.carrier", message)])
    weights = {sku: offer.weight for sku, offer in offers.items()}
    parcel = parcel_of(request.merged_lines, weights=weights, address=request.address)
    try:
        with translation.override(request.language):  # the order keeps the label
            return chosen_quote(parcel, carrier=chosen.carrier, service=chosen.service)
    except UnknownCarrier:
        message = _("There is no such carrier.")
        raise InvalidOrder([FieldError("delivery.carrier", message)]) from None
    except NotQuoted as error:
        raise DeliveryChanged(error.reason) from None
