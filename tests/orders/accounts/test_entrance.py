"""Signing up and in by code or password; no answer tells whether an address has an account."""

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from notifications.models import Notification
from orders.models import User
from tests.orders.accounts.pages import (
    ADA,
    PASSWORD,
    ask_for_code,
    confirm,
    is_signed_in,
    last_code,
    said,
    shape_of,
    sign_up,
)

pytestmark = pytest.mark.django_db


def test_signing_up_needs_the_code_that_was_sent(client: Client) -> None:
    assert sign_up(client).headers["Location"] == "/accounts/confirm-email/"
    assert not is_signed_in(client)

    confirm(client, last_code("sign_up_confirmation"))

    assert is_signed_in(client)
    assert EmailAddress.objects.get().verified
    assert not User.objects.get().has_usable_password()


def test_a_wrong_code_opens_nothing_and_the_third_ends_it(client: Client) -> None:
    sign_up(client)
    code = last_code("sign_up_confirmation")

    for _wrong in range(3):
        confirm(client, "BBBB-BBBB")
    confirm(client, code)

    assert not is_signed_in(client)
    assert not EmailAddress.objects.get().verified


def test_a_double_click_keeps_the_first_code(client: Client) -> None:
    sign_up(client)
    sign_up(client)

    confirm(client, last_code("sign_up_confirmation"))

    assert len(said("sign_up_confirmation")) == 1
    assert is_signed_in(client)


def test_a_message_and_its_account_exist_together_or_not_at_all(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the database is gone")

    monkeypatch.setattr(Notification, "save", fail)

    with pytest.raises(RuntimeError):
        sign_up(client)

    assert not User.objects.exists()


def test_signing_up_does_not_tell_who_has_an_account(ada: User) -> None:
    new, known = Client(), Client()

    first, second = sign_up(new, "eve@example.org"), sign_up(known, ADA)

    assert shape_of(first) == shape_of(second)
    code_page = [shape_of(c.get("/accounts/confirm-email/")) for c in (new, known)]
    assert code_page[0][2].replace("eve@", "ada@") == code_page[1][2]
    assert User.objects.filter(email=ADA).count() == 1
    assert len(said("account_exists")) == 1


@pytest.mark.parametrize("path", ["/accounts/login/code/", "/accounts/password/reset/"])
def test_asking_for_a_code_does_not_tell_who_has_an_account(ada: User, path: str) -> None:
    known = Client().post(path, {"email": ADA})
    unknown = Client().post(path, {"email": "eve@example.org"})

    assert shape_of(known) == shape_of(unknown)
    assert len(said("unknown_account", to="eve@example.org")) == 1


def test_a_code_signs_in(client: Client, ada: User) -> None:
    ask_for_code(client)

    client.post("/accounts/login/code/confirm/", {"code": last_code("sign_in_code")})

    assert is_signed_in(client)


def test_a_password_signs_in_whatever_the_capitals_of_the_address(
    client: Client, ada: User
) -> None:
    client.post("/accounts/login/", {"login": "ADA@Example.org", "password": PASSWORD})

    assert is_signed_in(client)


def test_a_new_session_begins_when_somebody_signs_in(client: Client, ada: User) -> None:
    ask_for_code(client)
    planted = client.cookies["sessionid"].value

    client.post("/accounts/login/code/confirm/", {"code": last_code("sign_in_code")})

    assert client.cookies["sessionid"].value != planted
    thief = Client()
    thief.cookies["sessionid"] = planted
    assert not is_signed_in(thief)


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"]
)
def test_signing_in_leads_nowhere_else(client: Client, ada: User, target: str) -> None:
    answer = client.post("/accounts/login/", {"login": ADA, "password": PASSWORD, "next": target})

    assert answer.headers["Location"] == "/accounts/"


def test_signing_in_leads_back_within_the_shop(client: Client, ada: User) -> None:
    answer = client.post(
        "/accounts/login/", {"login": ADA, "password": PASSWORD, "next": "/checkout/"}
    )

    assert answer.headers["Location"] == "/checkout/"


def test_a_forgotten_password_is_replaced_by_code(client: Client, ada: User) -> None:
    client.post("/accounts/password/reset/", {"email": ADA})
    client.post("/accounts/password/reset/confirm/", {"code": last_code("password_reset")})

    new = "staple of correct horses"
    client.post("/accounts/password/reset/complete/", {"password1": new, "password2": new})

    ada.refresh_from_db()
    assert ada.check_password(new)
    assert said("account_changed")[-1].context["change"] == "password"


def test_who_signs_up_with_a_strangers_address_knows_no_way_in_later() -> None:
    squatter, owner = Client(), Client()
    sign_up(squatter)
    stale = last_code("sign_up_confirmation")
    ask_for_code(owner)
    owner.post("/accounts/login/code/confirm/", {"code": last_code("sign_in_code")})
    assert is_signed_in(owner)

    squatter.post("/accounts/confirm-email/", {"code": "BBBB-BBBB"})
    squatter.post("/accounts/login/", {"login": ADA, "password": PASSWORD})

    assert not is_signed_in(squatter)
    assert stale != last_code("sign_in_code")


@pytest.mark.parametrize("path", ["/accounts/login/code/", "/accounts/password/reset/"])
def test_a_mailbox_does_not_open_the_admin(client: Client, ada: User, path: str) -> None:
    User.objects.update(is_staff=True)

    client.post(path, {"email": ADA})

    assert said("unknown_account")
    assert not said("sign_in_code") + said("password_reset")


def test_the_admin_signs_in_by_username_as_before(client: Client) -> None:
    User.objects.create_superuser("admin", "", PASSWORD)

    answer = client.post("/admin/login/", {"username": "admin", "password": PASSWORD})

    assert answer.headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_ten_wrong_passwords_lock_the_door_whatever_their_spelling(
    client: Client, ada: User, settings
) -> None:
    settings.ACCOUNT_RATE_LIMITS = False  # it would stop the fifth: here axes is on its own
    for guess in range(10):
        name = ADA.upper() if guess % 2 else ADA
        answer = client.post("/accounts/login/", {"login": name, "password": "wrong"})
    assert answer.status_code == 429
    assert "Too many wrong passwords" in answer.content.decode()

    client.post("/accounts/login/", {"login": ADA, "password": PASSWORD})

    assert not is_signed_in(client)


@pytest.mark.parametrize("path", ["/accounts/login/", "/admin/login/"])
def test_wrong_passwords_from_one_ipv6_network_count_together(
    client: Client, ada: User, settings, path: str
) -> None:
    settings.ACCOUNT_RATE_LIMITS = False
    field = "username" if path == "/admin/login/" else "login"
    for guess in range(14):
        answer = client.post(
            path, {field: ADA, "password": "wrong"}, REMOTE_ADDR=f"2001:db8:1:2:{guess:x}::1"
        )
    assert answer.status_code == 429

    answer = client.post(path, {field: ADA, "password": "wrong"}, REMOTE_ADDR="2001:db8:1:3::1")

    assert answer.status_code == 200  # another network has its own count


def test_five_wrong_passwords_make_guessing_slow(client: Client, ada: User) -> None:
    for _guess in range(5):
        client.post("/accounts/login/", {"login": ADA, "password": "wrong"})

    client.post("/accounts/login/", {"login": ADA, "password": PASSWORD})

    assert not is_signed_in(client)


@pytest.mark.parametrize(
    "email",
    [
        "ada@example.org\nBcc: all@example.org",
        "ada@example.org%0aBcc:x",
        "x" * 250 + "@example.org",
        "ada\u202e@example.org",
        "ada\x00@example.org",
        "<script>@example.org",
        "ada@",
        "",
    ],
)
def test_an_address_that_is_none_is_refused(client: Client, email: str) -> None:
    answer = sign_up(client, email)

    assert answer.status_code == 200  # the form again
    assert "errorlist" in answer.content.decode()
    assert not User.objects.exists()
    assert not Notification.objects.exists()


def test_messages_speak_the_language_of_the_page(client: Client) -> None:
    client.cookies["django_language"] = "zh-hans"

    sign_up(client)

    assert said("sign_up_confirmation")[0].language == "zh-hans"


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/login/",
        "/accounts/login/code/",
        "/accounts/signup/",
        "/accounts/password/reset/",
        "/orders/find/",
    ],
)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_entrance_has_the_shops_dress(client: Client, path: str, language: str) -> None:
    client.cookies["django_language"] = language

    answer = client.get(path)

    page = answer.content.decode()
    assert f'<html lang="{language}">' in page
    assert 'class="site-header"' in page
    assert " style=" not in page
    assert "<script" not in page
