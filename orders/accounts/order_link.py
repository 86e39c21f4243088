"""Finding an order without an account: the shop mails the link to the order's own address.

The answer doesn't reveal whether the order exists. It is the same in both cases, and takes the
same time: a row is written and the transaction commits.
"""

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from notifications.models import Notification
from notifications.outbox import account_message
from orders.models import Order

UNKNOWN_ORDER_ID = UUID(int=0)


def send_link(*, number: int, email: str, language: str) -> None:
    """Send the link to the order with this number, if it was placed with this address."""
    with transaction.atomic():
        order = Order.objects.filter(number=number, email__iexact=email).only("number").first()
        here = transaction.savepoint()
        message = _message(order or Order(id=UNKNOWN_ORDER_ID, number=number), email, language)
        message.save(force_insert=True)
        # Explicit savepoints: with `atomic` a rollback would take one statement more than a commit.
        (transaction.savepoint_rollback if order is None else transaction.savepoint_commit)(here)


def _message(order: Order, email: str, language: str) -> Notification:
    """Return the message to the typed address: it differs from the order's at most in case."""
    return account_message(
        event="order_link",
        recipient=email,
        language=language,
        context={
            "number": order.display_number,
            "url": settings.SITE_URL + reverse("order", args=[order.pk]),
        },
    )
