"""The customers that a new order may be for: people of earlier orders, and accounts.

They are found by what a customer says at the phone: a name, an e-mail address, a phone number, the
number of an order. Each search has an index, and reads a few rows.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower

from orders.accounts.addresses import checkout_defaults
from orders.accounts.fields import ADDRESS_FIELDS
from orders.finding.search import means_order
from orders.models import Order, User
from project.database.words import has_words
from project.desk.search_terms import has_address, has_phone
from project.email_addresses import readable_address

SHORTEST = 2
"""Characters from which on a text is searched for: a Chinese name has two."""
MOST_READ = 40
"""Orders that are read: a regular customer's fill some of them."""
SHOWN = 8


@dataclass(frozen=True)
class Customer:
    """One row of the search."""

    key: str
    """What the row's button sends: `order:` or `account:` with the id."""
    name: str
    email: str
    phone: str
    town: str
    number: str = ""
    """The customer's newest order that was found; empty for an account."""
    placed_at: datetime | None = None


def find_customers(text: str) -> list[Customer]:
    """Return the customers that the text may mean, accounts first, in two queries at most."""
    if len(text) < SHORTEST:
        return []
    accounts = [_of_account(user) for user in _accounts(text)[:SHOWN]]
    by_email: dict[tuple[str, str], Order] = {}
    for order in Order.objects.filter(means_order(text)).order_by("-placed_at", "-number")[
        :MOST_READ
    ]:
        by_email.setdefault((order.email.lower(), order.name), order)
    return [*accounts, *map(_of_order, by_email.values())][:SHOWN]


def read_customer(key: str) -> dict[str, Any]:
    """Return the customer's values for the form's fields; empty if there is none by the key."""
    kind, _colon, value = key.partition(":")
    with suppress(ValueError):
        if kind == "order":
            order = Order.objects.filter(pk=UUID(value)).first()
            return _values_of_order(order) if order else {}
        if kind == "account":
            user = _confirmed().filter(pk=int(value)).first()
            return _values_of_account(user) if user else {}
    return {}


def _confirmed() -> QuerySet[User]:
    """Return the accounts whose own address is confirmed: anybody may sign up with another's."""
    confirmed = EmailAddress.objects.filter(
        user=OuterRef("pk"), email=Lower(OuterRef("email")), verified=True
    )
    return User.objects.filter(Exists(confirmed), is_active=True)


def _accounts(text: str) -> QuerySet[User]:
    phone = has_phone("phone", text)
    if phone:
        return _confirmed().filter(phone).order_by("pk")
    found = Q(has_address("email", text)) & ~Q(email="")
    if "@" not in text:
        found |= Q(has_words("name", text))
    return _confirmed().filter(found).order_by("pk")


def _of_account(user: User) -> Customer:
    return Customer(
        key=f"account:{user.pk}",
        name=user.name,
        email=readable_address(user.email),
        phone=user.phone,
        town="",
    )


def _of_order(order: Order) -> Customer:
    return Customer(
        key=f"order:{order.pk}",
        name=order.name,
        email=readable_address(order.email),
        phone=order.phone,
        town=order.address.get("city", ""),
        number=order.display_number,
        placed_at=order.placed_at,
    )


def _values_of_order(order: Order) -> dict[str, Any]:
    return {
        "name": order.name,
        "email": readable_address(order.email),
        "phone": order.phone,
        "language": order.language,
        "handover": "delivery" if order.address else "pickup",
        **{name: order.address.get(name, "") for name in ADDRESS_FIELDS if order.address},
    }


def _values_of_account(user: User) -> dict[str, Any]:
    values: dict[str, Any] = {"handover": "pickup", **checkout_defaults(user)}
    return values | ({"language": user.language} if user.language else {})
