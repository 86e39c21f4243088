"""The orders of a user: those placed while signed in, and guest orders by the confirmed e-mail."""

from allauth.account.models import EmailAddress
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from notifications.events import EVENTS
from orders.accounts.unsubscribe import unsubscribe_url
from orders.models import Order, User


def orders_of(user: User) -> QuerySet[Order]:
    """Return the user's orders, newest first.

    Guest orders are found by the user's confirmed e-mail addresses. An order that another user
    placed while signed in belongs to that user, whatever its e-mail address is; when that account
    is deleted, it belongs to nobody.
    """
    # A separate query: with a join PostgreSQL would scan all orders.
    confirmed = EmailAddress.objects.filter(user=user, verified=True)
    emails = [email.lower() for email in confirmed.values_list("email", flat=True)]
    orders = Order.objects.alias(email_in_small=Lower("email"))
    as_guest = Q(user=None, account_deleted=False, email_in_small__in=emails)
    return orders.filter(Q(user=user) | as_guest).order_by("-number")


def owners_of(order: Order) -> QuerySet[User]:
    """Return the users whose order it is, by the rule of `orders_of`."""
    if order.account_deleted:
        return User.objects.none()
    if order.user_id:
        return User.objects.filter(pk=order.user_id)
    return User.objects.filter(emailaddress__email=order.email.lower(), emailaddress__verified=True)


def account_of(email: str) -> int | None:
    """Return the id of the user who has confirmed the address, if any."""
    confirmed = EmailAddress.objects.filter(email=email.lower(), verified=True)
    return confirmed.values_list("user_id", flat=True).first()


def is_muted(event: str, *, order: Order) -> bool:
    """Return True if the order's shopper switched this message off and the event is optional."""
    if not EVENTS[event].may_opt_out:
        return False
    return owners_of(order).filter(muted_events__contains=[event]).exists()


def opt_out_context(event: str, *, order: Order) -> dict[str, str]:
    """Return the message context's unsubscribe link, for an optional event.

    A guest gets none: without an account the shop can't store the choice.
    """
    if not EVENTS[event].may_opt_out:
        return {}
    owner = owners_of(order).first()
    return {"unsubscribe_url": unsubscribe_url(user_id=owner.pk, event=event)} if owner else {}
