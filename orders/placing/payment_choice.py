"""How an order is to be paid, as chosen when it is placed, and what its confirmation says of it.

The providers themselves are `orders.payments`: placing an order only keeps the name.
"""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from orders.models import Order
from orders.placing.errors import FieldError, InvalidOrder

TRANSFER = "transfer"
AT_PICKUP = "pickup"


def offered_methods(*, is_picked_up: bool) -> list[str]:
    """Return the names of the shop's ways to pay, as customers see them in a list."""
    names = list(settings.PAYMENT_PROVIDERS)
    if settings.PAYMENT_ACCOUNT:
        names.append(TRANSFER)
    if settings.PAYMENT_AT_PICKUP and is_picked_up:
        names.append(AT_PICKUP)
    return names


def method_of(chosen: str, *, is_picked_up: bool, total: Decimal) -> str:
    """Return the method that a new order has; where there is one only, nobody has to choose.

    Empty for an order that costs nothing. Raises InvalidOrder for a method that the order can't
    be paid by.
    """
    offered = offered_methods(is_picked_up=is_picked_up)
    if chosen and chosen not in offered:
        message = _("This order can't be paid in this way. Choose another one.")
        raise InvalidOrder([FieldError("payment.method", message)])
    if not total:
        return ""
    return chosen or (offered[0] if len(offered) == 1 else "")


def payment_context(order: Order) -> dict[str, Any]:
    """Return what the message about a new order says of its payment; empty if nothing is due.

    It is frozen with the message, so the account is the one of this moment.
    """
    if not order.total:
        return {}
    account = settings.PAYMENT_ACCOUNT if order.payment_method == TRANSFER else None
    return {
        "payment": {
            "method": order.payment_method,
            "due": str(order.total),
            "hours": None if order.payment_method == AT_PICKUP else settings.PAYMENT_DUE_HOURS,
            "instructions": "" if order.payment_method else settings.PAYMENT_INSTRUCTIONS,
            "account": {
                "holder": account.holder,
                "iban": account.printed_iban,
                "bic": account.bic,
            }
            if account
            else None,
        }
    }
