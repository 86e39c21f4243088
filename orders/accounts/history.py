"""Which orders are a user's: what they placed signed in, and what they placed as a guest."""

from allauth.account.models import EmailAddress
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from notifications.events import EVENTS
from orders.accounts.unsubscribe import unsubscribe_url
from orders.models import Order, User


def orders_of(user: User) -> QuerySet[Order]:
    """Return the user's orders, newest first.

    Guest orders are found by the e-mail address, if the user has confirmed that it is theirs.
    An order that somebody else placed signed in stays theirs, whatever address it carries.
    """
    # Read first: by a join PostgreSQL would go through all orders.
    confirmed = EmailAddress.objects.filter(user=user, verified=True)
    emails = [email.lower() for email in confirmed.values_list("email", flat=True)]
    orders = Order.objects.alias(email_in_small=Lower("email"))
    return orders.filter(Q(user=user) | Q(user=None, email_in_small__in=emails)).order_by("-number")


def owners_of(order: Order) -> QuerySet[User]:
    """Return whose order it is, if anybody with an account: by the rule of `orders_of`."""
    if order.user_id:
        return User.objects.filter(pk=order.user_id)
    return User.objects.filter(emailaddress__email=order.email.lower(), emailaddress__verified=True)


def is_muted(event: str, *, order: Order) -> bool:
    """Whether the order's shopper switched this message off, as far as it may be."""
    if not EVENTS[event].may_opt_out:
        return False
    return owners_of(order).filter(muted_events__contains=[event]).exists()


def opt_out_context(event: str, *, order: Order) -> dict[str, str]:
    """Return what a message that may be switched off knows besides: its reader's link for that.

    Nothing for a guest, who has no account to remember it in.
    """
    if not EVENTS[event].may_opt_out:
        return {}
    owner = owners_of(order).first()
    return {"unsubscribe_url": unsubscribe_url(user_id=owner.pk, event=event)} if owner else {}
