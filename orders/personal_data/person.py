"""Who is meant by an e-mail address: accounts, orders, phone numbers.

Orders follow the rule of `orders.accounts.history`: those of the account, and guests' orders with
the address. An order of somebody else's account that only carries the address loses the address,
and stays that account's order.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import quote

from allauth.account.models import EmailAddress
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from orders.models import Order, User
from project.email_addresses import canonical_address, readable_address


@dataclass(frozen=True)
class Person:
    """A person as the shop knows them. `as_json` and `from_json` keep it with its job."""

    emails: list[str]
    """Their addresses in small letters: the one that was asked for first."""
    user_ids: list[int] = field(default_factory=list)
    usernames: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    """Of the accounts and of the orders, in E.164."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Person":
        return cls(**kept)

    @property
    def identifiers(self) -> list[str]:
        """What means this person and nobody else, wherever it is written."""
        return [*self.emails, *self.phones]


def find_person(email: str) -> Person:
    """Return the person with this address, in any spelling. Raises InvalidAddressError.

    An account is theirs by a confirmed address, or by its own one; all its confirmed addresses are
    theirs, too. That nothing is known of them shows in what is found by it.
    """
    wanted = canonical_address(email).lower()
    confirmed = EmailAddress.objects.filter(email=wanted, verified=True)
    users = list(
        User.objects.annotate(small=Lower("email"))
        .filter(Q(small=wanted) | Q(pk__in=confirmed.values("user_id")))
        .order_by("pk")
    )
    return _person(wanted, users)


def person_of(user: User) -> Person:
    """Return the person of this account, by the addresses that they have confirmed."""
    confirmed = EmailAddress.objects.filter(user=user, verified=True).order_by("-primary", "pk")
    first = confirmed.values_list("email", flat=True).first()
    return _person((first or user.email).lower(), [user])


def _person(email: str, users: Sequence[User]) -> Person:
    ids = [user.pk for user in users]
    others = EmailAddress.objects.filter(user__in=ids, verified=True).order_by("pk")
    emails = [email] if email else []
    emails += [each.lower() for each in others.values_list("email", flat=True)]
    person = Person(
        emails=list(dict.fromkeys(emails)),
        user_ids=ids,
        usernames=[user.username for user in users],
        phones=[user.phone for user in users if user.phone],
    )
    phones = orders_of(person).exclude(phone="").order_by().values_list("phone", flat=True)
    person.phones.extend(sorted(set(phones.distinct()) - set(person.phones)))
    return person


def orders_of(person: Person) -> QuerySet[Order]:
    """Return the person's orders that still name them."""
    as_guest = Q(user=None, account_deleted=False, small__in=person.emails)
    # What an account that is deleted now has placed with its own address is theirs as well.
    of_deleted = Q(account_deleted=True, small__in=person.emails)
    return (
        Order.objects.alias(small=Lower("email"))
        .filter(Q(user__in=person.user_ids) | as_guest | of_deleted, erased_at=None)
        .order_by("number")
    )


def orders_carrying(person: Person) -> QuerySet[Order]:
    """Return orders of other accounts on which the person's address stands."""
    return (
        Order.objects.alias(small=Lower("email"))
        .filter(small__in=person.emails, user__isnull=False)
        .exclude(user__in=person.user_ids)
        .order_by("number")
    )


def spellings(texts: Iterable[str]) -> list[str]:
    """Return the forms in which these may stand in texts, JSON and addresses of pages."""
    found: dict[str, None] = {}
    for text in texts:
        for plain in (text, readable_address(text)):
            for form in (
                plain,
                quote(plain, safe=""),
                quote(plain),
                json.dumps(plain)[1:-1],
                json.dumps(plain, ensure_ascii=False)[1:-1],
            ):
                found[form] = None
    return list(found)


def pattern_of(texts: Iterable[str]) -> str:
    """Return PostgreSQL's regular expression for any of these, as whole words; empty for none.

    `ada@example.org` isn't found in `theada@example.org` or `ada@example.org.uk`, but at the end of
    a sentence.
    """
    forms = sorted(spellings(texts), key=len, reverse=True)
    if not forms:
        return ""
    choices = "|".join(re.escape(form) for form in forms)
    return rf"(?<![[:alnum:]_.+-])(?:{choices})(?![[:alnum:]_-]|\.[[:alnum:]])"
