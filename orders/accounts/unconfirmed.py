"""Unconfirmed accounts: sign-ups whose e-mail address was never confirmed. Pruning deletes them."""

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from orders.models import User

KEEP_UNCONFIRMED = timedelta(days=7)


def unconfirmed_accounts() -> QuerySet[User]:
    """Return the accounts that signed up at least a week ago and have confirmed no address.

    Accounts that an operator created are left out: they have no address to confirm, or are staff.
    """
    addresses = EmailAddress.objects.filter(user=OuterRef("pk"))
    return User.objects.filter(
        Exists(addresses),
        ~Exists(addresses.filter(verified=True)),
        date_joined__lt=Now() - KEEP_UNCONFIRMED,
        last_login=None,
        is_staff=False,
        is_superuser=False,
    )
