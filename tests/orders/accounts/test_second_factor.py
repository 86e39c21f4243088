"""The staff's second factor at the desk's door, and the sessions behind it."""

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.mfa.totp.internal.auth import yield_hotp_counters_from_time as counters
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from orders.accounts.second_factor import SecondFactorMiddleware
from orders.accounts.sessions import end_sessions
from orders.models import User

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXP"
DESK = "/admin/"


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("boss", "", "secret")


def code(secret: str = SECRET) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(counters()))))


def add_factor(user: User) -> None:
    from allauth.core import context

    with context.request_context(None):
        TOTP.activate(user, SECRET)


def sign_in(client: Client, **more: str) -> Any:
    return client.post("/admin/login/", {"username": "boss", "password": "secret", **more})


def is_in(client: Client) -> bool:
    return client.get("/admin/orders/order/").status_code == 200


def test_a_password_is_enough_where_nobody_has_set_up_more(boss: User) -> None:
    client = Client()

    answer = sign_in(client, next="/admin/orders/order/")

    assert (answer.status_code, answer["Location"]) == (302, "/admin/orders/order/")
    assert is_in(client)


def test_a_password_alone_does_not_reach_the_desk_of_who_has_a_second_factor(boss: User) -> None:
    add_factor(boss)
    client = Client()

    answer = sign_in(client, next="/admin/orders/order/")
    before = is_in(client)
    wrong = client.post(answer["Location"], {"code": "000000"})
    right = client.post(answer["Location"], {"code": code()})

    assert answer["Location"] == reverse("mfa_authenticate")
    assert not before
    assert wrong.status_code == 200
    assert right["Location"] == "/admin/orders/order/"
    assert is_in(client)


def test_a_code_signs_in_once(boss: User) -> None:
    add_factor(boss)
    first, second = Client(), Client()
    typed = code()
    for client in (first, second):
        sign_in(client)
        client.post(reverse("mfa_authenticate"), {"code": typed})

    assert is_in(first)
    assert not is_in(second)


@pytest.mark.django_db(transaction=True)  # allauth tells of it once it is committed
def test_staff_without_one_are_led_to_set_it_up(boss: User, settings: Any) -> None:
    settings.STAFF_SECOND_FACTOR = True
    client = Client()
    sign_in(client)

    led = client.get("/admin/orders/order/")
    confirm = client.get(led["Location"], follow=True)
    page = client.post(
        confirm.redirect_chain[-1][0], {"password": "secret"}, follow=True
    ).content.decode()
    secret = re.search(r"<code translate=\"no\">(\w+)</code>", page)
    assert secret is not None
    done = client.post(reverse("mfa_activate_totp"), {"code": code(secret[1])})

    assert led["Location"].startswith(reverse("mfa_activate_totp"))
    assert done.status_code == 302
    assert is_in(client)
    assert secret[1] not in str(Authenticator.objects.get(type="totp").data)


def test_a_session_that_began_without_it_gives_it_first(boss: User, settings: Any) -> None:
    client = Client()
    sign_in(client)
    add_factor(boss)
    settings.STAFF_SECOND_FACTOR = True

    led = client.get("/admin/orders/order/")
    client.post(led["Location"], {"code": code()})

    assert led["Location"].startswith(reverse("mfa_reauthenticate"))
    assert is_in(client)


def test_without_the_middleware_such_a_session_would_be_let_in(
    boss: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the two tests above."""
    client = Client()
    sign_in(client)
    settings.STAFF_SECOND_FACTOR = True
    monkeypatch.setattr(
        SecondFactorMiddleware, "__call__", lambda self, request: self.get_response(request)
    )

    assert is_in(client)


def test_wrong_passwords_are_counted_at_the_desk(boss: User) -> None:
    client = Client()

    client.post("/admin/login/", {"username": "boss", "password": "wrong"})

    assert AccessAttempt.objects.get().username == "boss"


def test_a_second_factor_outlives_a_new_secret_key(boss: User, settings: Any) -> None:
    add_factor(boss)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-of-the-shop-with-enough-letters"
    client = Client()
    sign_in(client)

    client.post(reverse("mfa_authenticate"), {"code": code()})

    assert is_in(client)


def test_the_list_shows_the_sessions_and_ends_the_others(boss: User) -> None:
    here, there = Client(), Client()
    sign_in(here)
    sign_in(there)

    page = here.get(reverse("usersessions_list")).content.decode()
    here.post(reverse("usersessions_list"))

    assert page.count("<li>") - page.count("<li><a") >= 2
    assert is_in(here)
    assert not is_in(there)


def test_all_sessions_end_also_one_from_before_they_were_listed(boss: User) -> None:
    listed, older = Client(), Client()
    sign_in(listed)
    older.force_login(boss)
    assert UserSession.objects.count() == 1

    ended = end_sessions(boss)

    assert ended == 2
    assert not is_in(listed)
    assert not is_in(older)
    assert not Session.objects.exists()


def test_the_desk_ends_a_persons_sessions_and_removes_the_factor(
    admin_client: Client, boss: User
) -> None:
    client = Client()
    sign_in(client)
    add_factor(boss)
    url = f"/admin/orders/user/{boss.pk}/remove-second-factor/"

    asked = admin_client.get(url)
    still = is_in(client)
    admin_client.post(url)

    assert asked.status_code == 200
    assert still
    assert not is_in(client)
    assert not Authenticator.objects.exists()
