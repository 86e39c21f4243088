"""Unconfirmed accounts are deleted after a week, and no others."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.db.models.functions import Now
from django.test import Client

from orders.accounts.unconfirmed import KEEP_UNCONFIRMED
from orders.models import User
from project.schedule.prune import prune
from tests.orders.accounts.pages import (
    ADA,
    ask_for_code,
    confirm,
    is_signed_in,
    last_code,
)

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def age(user: User, by: timedelta) -> None:
    User.objects.filter(pk=user.pk).update(date_joined=Now() - by)


def test_a_sign_up_that_nobody_confirmed_goes_after_a_week_and_may_begin_anew(
    client: Client,
) -> None:
    ask_for_code(client)
    age(User.objects.get(), KEEP_UNCONFIRMED + HOUR)

    assert prune()["unconfirmed accounts"] == 1
    assert not EmailAddress.objects.exists()

    cache.clear()  # a week later no limit remembers the first try
    somebody = Client()
    ask_for_code(somebody)
    confirm(somebody, last_code("sign_in_code"))
    assert is_signed_in(somebody)


def test_its_owner_needs_not_wait_a_sign_in_code_confirms_it(client: Client) -> None:
    ask_for_code(client)
    owner = Client()

    ask_for_code(owner)
    owner.post("/accounts/login/code/confirm/", {"code": last_code("sign_in_code")})

    assert is_signed_in(owner)
    assert EmailAddress.objects.get().verified


def test_it_stays_until_then(client: Client) -> None:
    ask_for_code(client)
    age(User.objects.get(), KEEP_UNCONFIRMED - HOUR)

    assert prune()["unconfirmed accounts"] == 0


def test_who_confirmed_an_address_stays_even_while_another_waits_for_its_code(ada: User) -> None:
    EmailAddress.objects.create(user=ada, email="new@example.org", verified=False)
    age(ada, KEEP_UNCONFIRMED + HOUR)

    assert prune()["unconfirmed accounts"] == 0


def test_who_was_made_by_hand_stays(db: None) -> None:
    by_hand = User.objects.create_user("grace", "grace@example.org")
    staff = User.objects.create_user("joan", ADA, is_staff=True)
    EmailAddress.objects.create(user=staff, email=ADA, verified=False, primary=True)
    for user in (by_hand, staff):
        age(user, KEEP_UNCONFIRMED + HOUR)

    assert prune()["unconfirmed accounts"] == 0
