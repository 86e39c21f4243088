"""Signing up and in by code or password; no answer tells whether an address has an account."""

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings as shop_settings
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
)

pytestmark = pytest.mark.django_db

RATE_LIMITS = shop_settings.ACCOUNT_RATE_LIMITS


def test_signing_up_needs_the_code_that_was_sent(client: Client) -> None:
    assert ask_for_code(client).headers["Location"] == "/accounts/login/code/confirm/"
    assert not is_signed_in(client)

    confirm(client, last_code("sign_in_code"))

    assert is_signed_in(client)
    assert EmailAddress.objects.get().verified
    assert not User.objects.get().has_usable_password()


def test_a_wrong_code_opens_nothing_and_the_third_ends_it(client: Client) -> None:
    ask_for_code(client)
    code = last_code("sign_in_code")

    for _wrong in range(3):
        confirm(client, "BBBB-BBBB")
    confirm(client, code)

    assert not is_signed_in(client)
    assert not EmailAddress.objects.get().verified


def test_a_double_click_keeps_the_first_code(client: Client) -> None:
    ask_for_code(client)
    ask_for_code(client)

    confirm(client, last_code("sign_in_code"))

    assert len(said("sign_in_code")) == 1
    assert is_signed_in(client)


def test_a_message_and_its_account_exist_together_or_not_at_all(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the database is gone")

    monkeypatch.setattr(Notification, "save", fail)

    with pytest.raises(RuntimeError):
        ask_for_code(client)

    assert not User.objects.exists()


def test_the_door_does_not_tell_who_has_an_account(ada: User) -> None:
    new, known = Client(), Client()

    first, second = ask_for_code(new, "eve@example.org"), ask_for_code(known, ADA)

    assert shape_of(first) == shape_of(second)
    code_page = [shape_of(c.get("/accounts/login/code/confirm/")) for c in (new, known)]
    assert code_page[0][2].replace("eve@", "ada@") == code_page[1][2]
    wrong = [shape_of(confirm(c, "000 00")) for c in (new, known)]
    assert wrong[0][2].replace("eve@", "ada@") == wrong[1][2]
    assert sorted(User.objects.values_list("email", flat=True)) == [ADA, "eve@example.org"]


def test_asking_for_a_new_password_does_not_tell_who_has_an_account(ada: User) -> None:
    known = Client().post("/accounts/password/reset/", {"email": ADA})
    unknown = Client().post("/accounts/password/reset/", {"email": "eve@example.org"})

    assert shape_of(known) == shape_of(unknown)
    assert len(said("unknown_account", to="eve@example.org")) == 1


def test_an_account_that_was_closed_stays_closed_and_no_answer_tells(ada: User) -> None:
    User.objects.update(is_active=False)
    closed, new = Client(), Client()

    answers = ask_for_code(closed), ask_for_code(new, "eve@example.org")

    assert shape_of(answers[0]) == shape_of(answers[1])
    assert not said("sign_in_code")
    assert User.objects.filter(email=ADA).count() == 1


def test_a_new_shopper_comes_back_to_where_they_were(client: Client) -> None:
    door = client.get("/accounts/login/?next=/checkout/")
    assert 'name="next" value="/checkout/"' in door.content.decode()
    asked = client.post("/accounts/login/code/", {"email": ADA, "next": "/checkout/"})
    page = client.get(asked.headers["Location"])
    assert 'name="next" value="/checkout/"' in page.content.decode()

    code = last_code("sign_in_code")
    answer = client.post("/accounts/login/code/confirm/", {"code": code, "next": "/checkout/"})

    assert answer.headers["Location"] == "/checkout/"


@pytest.mark.parametrize(
    "pasted",
    [
        lambda code: f" {code[:3]} {code[3:]}\n",
        lambda code: f"{code[:3]}-{code[3:]}",
        lambda code: f"{code[:3]}\u00a0{code[3:]}",
        lambda code: code.translate({ord(str(n)): 0xFF10 + n for n in range(10)}),
    ],
    ids=["spaces", "a dash", "a no-break space", "full-width digits"],
)
def test_a_code_has_six_digits_and_may_be_pasted_as_it_comes(
    client: Client, ada: User, pasted: Callable[[str], str]
) -> None:
    page = client.get(ask_for_code(client).headers["Location"]).content.decode()
    code = last_code("sign_in_code")

    assert len(code) == 6
    assert code.isdecimal()
    assert 'inputmode="numeric"' in page
    assert 'autocomplete="one-time-code"' in page
    confirm(client, pasted(code))
    assert is_signed_in(client)


def test_who_mistyped_the_address_comes_back_and_types_it_again(client: Client, ada: User) -> None:
    ask_for_code(client, "adda@example.org")

    assert 'id="id_email"' in client.get("/accounts/login/").content.decode()
    assert 'id="id_password"' in client.get("/accounts/login/?password").content.decode()
    ask_for_code(client)

    confirm(client, last_code("sign_in_code"))
    assert client.get("/accounts/").context["user"] == ada


def test_an_address_gets_thirty_codes_a_day(client: Client, ada: User, settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"request_login_code": "2/d/key"}  # the kind of limit, sooner
    assert "30/d/key" in RATE_LIMITS["request_login_code"]

    for _session in range(3):
        answer = ask_for_code(Client())

    assert answer.status_code == 200  # the form, with the reason
    assert len(said("sign_in_code")) == 2


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
    ask_for_code(squatter)
    stale = last_code("sign_in_code")
    ask_for_code(owner)
    owner.post("/accounts/login/code/confirm/", {"code": last_code("sign_in_code")})
    assert is_signed_in(owner)

    confirm(squatter, "000000")
    squatter.post("/accounts/login/", {"login": ADA, "password": PASSWORD})

    assert not is_signed_in(squatter)
    assert stale != last_code("sign_in_code")


def test_links_to_a_page_for_new_accounts_lead_to_the_door(client: Client) -> None:
    answer = client.get("/accounts/signup/?next=/cart/")

    assert answer.headers["Location"] == "/accounts/login/?next=/cart/"


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
    answer = ask_for_code(client, email)

    assert answer.status_code == 200  # the form again
    assert "errorlist" in answer.content.decode()
    assert not User.objects.exists()
    assert not Notification.objects.exists()


def test_messages_speak_the_language_of_the_page(client: Client) -> None:
    client.cookies["django_language"] = "zh-hans"

    ask_for_code(client)

    assert said("sign_in_code")[0].language == "zh-hans"


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/login/",
        "/accounts/login/code/",
        "/accounts/login/?password",
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
    assert "<script>" not in page
