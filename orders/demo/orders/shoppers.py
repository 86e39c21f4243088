"""The people of demo orders: shoppers, as guests and with accounts, and the clerks at the desk."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import connection, transaction

from orders.accounts.unsubscribe import unsubscribe_url
from orders.demo.orders import names
from orders.demo.orders.copying import Copied
from orders.demo.orders.moments import DAYS
from orders.models import Address, User

ORDERS_EACH = 4
"""Orders of a shopper on average; some have one, and a few very many."""
WITH_ACCOUNT = 0.4
CLERKS = 6
CHINESE = 0.28
STEEPNESS = 2.2
"""How much more the most faithful shoppers order (1: all the same)."""


@dataclass(slots=True)
class Shopper:
    name: str
    email: str
    phone: str
    """E.164, or empty."""
    language: str
    address: dict[str, str]
    """Empty for who picks up in the shop."""
    username: str = ""
    """Empty for a guest."""
    muted: tuple[str, ...] = ()
    user_id: int | None = None
    _links: dict[str, str] = field(default_factory=dict)

    def unsubscribe_url(self, event: str) -> str:
        """Return the account's link that switches the event off."""
        assert self.user_id is not None
        if event not in self._links:
            self._links[event] = unsubscribe_url(user_id=self.user_id, event=event)
        return self._links[event]


class Shoppers:
    """All shoppers of a fill, the most faithful first, and its clerks.

    Clerks are in no group and have no password: they only stand as users of what they did.
    """

    def __init__(self, *, orders: int, seed: int) -> None:
        count = max(8, orders // ORDERS_EACH)
        self._all = [_shopper(position, seed) for position in range(count)]
        self.clerks = [_clerk(position, seed) for position in range(CLERKS)]

    def choose(self, random: Random) -> Shopper:
        """Return the shopper of an order: by a power law."""
        return self._all[int(len(self._all) * random.random() ** STEEPNESS)]

    def clerk_of(self, position: int) -> int:
        """Return the user who handles that order at the desk, once they have signed up."""
        user_id = self.clerks[position % len(self.clerks)].user_id
        assert user_id is not None
        return user_id

    def accounts(self) -> Iterator[Shopper]:
        yield from (shopper for shopper in self._all if shopper.username)
        yield from self.clerks

    def sign_up(self, *, until: datetime) -> int:
        """Create their accounts, confirmed and with their addresses; return how many."""
        joined = until - timedelta(days=DAYS + 1)
        accounts = list(self.accounts())
        with transaction.atomic(), connection.cursor() as cursor:
            _USERS.write(cursor, (_user(shopper, joined) for shopper in accounts))
            cursor.execute(
                "SELECT username, id FROM orders_user WHERE username = ANY(%s)",
                [[shopper.username for shopper in accounts]],
            )
            ids = dict(cursor.fetchall())
            for shopper in accounts:
                shopper.user_id = ids[shopper.username]
            _EMAILS.write(
                cursor, ((shopper.user_id, shopper.email, True, True) for shopper in accounts)
            )
            _ADDRESSES.write(
                cursor,
                (
                    (shopper.user_id, *_whole(shopper.address), True)
                    for shopper in accounts
                    if shopper.address
                ),
            )
        return len(accounts)


def office(seed: int) -> str:
    """Return the address of the fill's staff: the real one's messages are not mixed with these."""
    return f"office-{seed}@shop.example"


def usernames(*, orders: int, seed: int) -> list[str]:
    """Return the usernames of the accounts that such a fill makes."""
    return [shopper.username for shopper in Shoppers(orders=orders, seed=seed).accounts()]


_USERS = Copied(
    User,
    (
        *("username", "password", "is_superuser", "is_staff", "is_active", "first_name"),
        *("last_name", "email", "name", "phone", "language", "muted_events"),
        *("wants_announcements", "date_joined"),
    ),
)
_EMAILS = Copied(EmailAddress, ("user_id", "email", "verified", "primary"))
_ADDRESSES = Copied(
    Address,
    ("user_id", "line1", "line2", "postcode", "city", "region", "country", "is_default"),
)


def _user(shopper: Shopper, joined: datetime) -> tuple[Any, ...]:
    nobodys = UNUSABLE_PASSWORD_PREFIX + shopper.username.ljust(40, "-")[:40]
    muted = "[" + ", ".join(f'"{event}"' for event in shopper.muted) + "]"
    return (
        *(shopper.username, nobodys, False, False, True, ""),
        *("", shopper.email, shopper.name, shopper.phone, shopper.language, muted),
        *(False, joined),  # nobody here is written to
    )


def _whole(address: dict[str, str]) -> tuple[str, ...]:
    return tuple(
        address.get(name, "")
        for name in ("line1", "line2", "postcode", "city", "region", "country")
    )


def _shopper(position: int, seed: int) -> Shopper:
    random = Random(f"{seed}/shopper/{position}")
    is_chinese = random.random() < CHINESE
    name, local = names.chinese_name(random) if is_chinese else names.western_name(random)
    has_account = random.random() < WITH_ACCOUNT
    return Shopper(
        name=name,
        email=f"{local}.{seed}-{position}@{random.choice(names.DOMAINS)}",
        phone=names.phone(random) if random.random() < 0.25 else "",
        language="zh-hans" if is_chinese else "en",
        address=names.address(random) if random.random() < 0.25 else {},
        username=f"demo-{seed}-{position}" if has_account else "",
        muted=("order_delivered",) if has_account and random.random() < 0.1 else (),
    )


def _clerk(position: int, seed: int) -> Shopper:
    random = Random(f"{seed}/clerk/{position}")
    name, local = names.western_name(random)
    return Shopper(
        name=name,
        email=f"{local}.clerk.{seed}-{position}@{names.DOMAINS[0]}",
        phone="",
        language="en",
        address={},
        username=f"demo-{seed}-clerk-{position}",
    )
