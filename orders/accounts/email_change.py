"""Changing a user's e-mail address at the desk: in the user and in allauth's table together.

Sign-in, history and announcements read allauth's table, messages and the desk the user's own field.
A change of one of them would leave the account with the old mailbox.
"""

from allauth.account.models import EmailAddress
from django.db import transaction

from orders.models import User


def is_taken(email: str, *, by_other_than: User) -> bool:
    """Return True if another user has confirmed the address."""
    confirmed = EmailAddress.objects.filter(email=email.lower(), verified=True)
    return confirmed.exclude(user=by_other_than).exists()


def is_confirmed(user: User) -> bool:
    """Return True if the user's address is confirmed: it finds guest orders and announcements."""
    own = EmailAddress.objects.filter(user=user, email=user.email.lower(), verified=True)
    return bool(user.email) and own.exists()


def change_email(user: User, *, email: str) -> None:
    """Make this the user's only address, not confirmed; the old one no longer signs in.

    `email` is in the form of `project.email_addresses`, or empty. The next sign-in code confirms
    it. A change that the user began is dropped. An account that an operator created has no row in
    allauth's table before its first sign-in, and gets none: the prune deletes accounts whose rows
    are all unconfirmed. Raises IntegrityError if another user has the address.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        User.objects.filter(pk=user.pk).update(email=email)
        user.email = email
        removed, _by_model = EmailAddress.objects.filter(user=user).delete()
        if removed and email:
            EmailAddress.objects.create(user=user, email=email.lower(), primary=True)
