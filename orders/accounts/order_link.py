"""Finding an order without an account: the shop mails the link to the order's own address.

The answer doesn't reveal whether the order exists. It is the same in both cases, and takes the
same time: a row is written and the transaction commits.
"""

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Lower
from django.urls import reverse

from notifications.models import Notification
from notifications.outbox import account_message
from orders.models import Order

UNKNOWN_ORDER_ID = UUID(int=0)


def send_link(*, number: int, email: str, language: str) -> None:
    """Send the link to the order with this number, if it was placed with this address."""
    with transaction.atomic():
        # Not `iexact`, which compares capitals: those of ı and ſ are I and S, of other addresses.
        known = Order.objects.alias(email_in_small=Lower("email"))
        order = (
            known.filter(number=number, email_in_small=email.lower())
            .only("number", "email")
            .first()
        )
        here = transaction.savepoint()
        unknown = Order(id=UNKNOWN_ORDER_ID, number=number, email=email)
        message = _message(order or unknown, language)
        message.save(force_insert=True)
        # Explicit savepoints: with `atomic` a rollback would take one statement more than a commit.
        (transaction.savepoint_rollback if order is None else transaction.savepoint_commit)(here)


def _message(order: Order, language: str) -> Notification:
    """Return the message to the order's own address, not the typed one."""
    return account_message(
        event="order_link",
        recipient=order.email,
        language=language,
        context={
            "number": order.display_number,
            "url": settings.SITE_URL + reverse("order", args=[order.pk]),
        },
    )
