"""The account's pages: orders, addresses, settings, e-mail and phone."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from notifications.delivery.known_numbers import is_known
from notifications.models import Notification
from orders.accounts.addresses import checkout_defaults, save_address
from orders.accounts.history import orders_of, owners_of
from orders.lifecycle.steps import record
from orders.models import Address, Order, OrderEvent, User
from orders.models.user import MAX_ADDRESSES
from tests.factories import add_product, make_order
from tests.orders.accounts.pages import ADA, PASSWORD, last_code, said
from tests.pages import open_page

pytestmark = pytest.mark.django_db

HOME = {"line1": "Am Kai 1", "line2": "", "postcode": "24103", "city": "Kiel", "country": "DE"}


@pytest.fixture
def other(db: None) -> User:
    return User.objects.create_user("eve", "eve@example.org")


def order_by(email: str, *, user: User | None = None) -> Order:
    order = make_order(add_product(f"N{Order.objects.count()}"), user=user)
    Order.objects.filter(pk=order.pk).update(email=email)
    return order


def test_a_confirmed_address_is_told_in_the_words_of_the_other_pages() -> None:
    with override("zh-hans"):
        told = render_to_string("account/messages/email_confirmed.txt", {"email": ADA})

    assert told.strip() == f"您已确认电子邮箱 {ADA}。"


# ── Orders ──────────────────────────────────────────────────────────────────────────────────


def test_the_history_has_the_users_orders_and_their_guest_orders(
    signed_in: Client, ada: User
) -> None:
    own = order_by("gift@example.org", user=ada)
    guest = order_by("ADA@example.org")

    page = signed_in.get("/accounts/").content.decode()

    assert own.display_number in page
    assert guest.display_number in page


def test_an_address_that_is_not_confirmed_finds_no_orders(signed_in: Client, ada: User) -> None:
    order_by(ADA)
    EmailAddress.objects.update(verified=False)

    assert not orders_of(ada).exists()

    EmailAddress.objects.update(verified=True)  # the control
    assert orders_of(ada).exists()


def test_another_users_order_stays_theirs_whatever_address_it_carries(
    ada: User, other: User
) -> None:
    order_by(ADA, user=other)

    assert not orders_of(ada).exists()


def test_an_order_of_a_deleted_account_is_nobodys_guest_order(ada: User, other: User) -> None:
    gift = order_by(ADA, user=other)
    guest = order_by(ADA)

    other.delete()

    gift.refresh_from_db()
    assert (gift.user, gift.account_deleted) == (None, True)
    assert list(orders_of(ada)) == [guest]
    assert not owners_of(gift).exists()
    assert list(owners_of(guest)) == [ada]


def test_deleting_accounts_in_bulk_marks_their_orders_too(ada: User, other: User) -> None:
    order_by(ADA, user=other)

    User.objects.exclude(pk=ada.pk).delete()

    assert not orders_of(ada).exists()


def test_the_database_refuses_a_deleted_account_that_is_there(ada: User) -> None:
    order = order_by(ADA, user=ada)

    with pytest.raises(IntegrityError, match="order_of_a_deleted_account_has_no_user"):
        Order.objects.filter(pk=order.pk).update(account_deleted=True)


@pytest.mark.parametrize(
    ("status", "address", "words"),
    [
        ("placed", {}, "We wait for your payment."),
        ("packed", {}, "you can pick it up"),
        ("packed", {"country": "DE"}, "We send it next."),
        ("shipped", {"country": "DE"}, "On its way to you."),
        ("cancelled", {}, "Nothing will be sent."),
    ],
)
def test_the_history_says_in_words_how_an_order_stands(
    signed_in: Client, ada: User, status: str, address: dict[str, str], words: str
) -> None:
    order = order_by(ADA, user=ada)
    Order.objects.filter(pk=order.pk).update(status=status, address=address)

    assert words in signed_in.get("/accounts/").content.decode()


def test_the_history_has_the_parcel_as_it_was_corrected_and_pictures(
    signed_in: Client, ada: User
) -> None:
    order = order_by(ADA, user=ada)
    Order.objects.filter(pk=order.pk).update(status="shipped", address={"country": "DE"})
    for kind, number in (("shipped", "WRONG"), ("parcel_corrected", "RIGHT")):
        detail = {"carrier": "DHL", "tracking_number": number}
        OrderEvent.objects.create(order=order, kind=kind, detail=detail)

    page = signed_in.get("/accounts/").content.decode()

    assert "RIGHT" in page
    assert "WRONG" not in page
    assert 'class="thumb thumb-small"' in page


def test_the_history_asks_as_often_for_one_order_as_for_many(signed_in: Client, ada: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            signed_in.get("/accounts/")
        return len(captured)

    order_by(ADA)
    few = queries()
    for _order in range(5):
        order_by(ADA, user=ada)

    assert queries() == few


@pytest.mark.parametrize("path", ["", "addresses/", "addresses/new/", "settings/", "email/"])
def test_a_stranger_is_asked_to_sign_in(client: Client, path: str) -> None:
    answer = client.get(f"/accounts/{path}")

    assert answer.headers["Location"] == f"/accounts/login/?next=/accounts/{path}"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "addresses/",
        "addresses/new/",
        "settings/",
        "email/",
        "phone/change/",
        "password/change/",
    ],
)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_page_of_the_account_has_the_shops_dress(
    signed_in: Client, settings: Any, path: str, language: str
) -> None:
    settings.SMS_URL = "http://localhost/sms"
    signed_in.cookies["django_language"] = language

    answer = signed_in.get(f"/accounts/{path}")

    page = answer.content.decode()
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in page
    assert 'class="account-nav"' in page
    assert " style=" not in page
    assert "<script>" not in page


# ── Addresses ───────────────────────────────────────────────────────────────────────────────


def test_the_first_address_fills_the_checkout(signed_in: Client, ada: User) -> None:
    signed_in.post("/accounts/addresses/new/", HOME)
    add_product("MUG")
    signed_in.post("/cart/", {"action": "add", "sku": "MUG"})

    page = signed_in.get("/checkout/").content.decode()

    assert 'value="Am Kai 1"' in page
    assert f'value="{ADA}"' in page
    assert checkout_defaults(ada)["handover"] == "delivery"


def test_there_is_one_default_and_another_takes_its_place(signed_in: Client, ada: User) -> None:
    signed_in.post("/accounts/addresses/new/", HOME)
    signed_in.post("/accounts/addresses/new/", HOME | {"line1": "Hafen 2", "is_default": "on"})
    assert checkout_defaults(ada)["line1"] == "Hafen 2"

    [default] = ada.addresses.filter(is_default=True)
    signed_in.post(f"/accounts/addresses/{default.pk}/delete/")

    assert checkout_defaults(ada)["line1"] == "Am Kai 1"


def test_the_database_refuses_a_second_default(ada: User) -> None:
    Address.objects.create(user=ada, is_default=True, **HOME)

    with pytest.raises(IntegrityError, match="one_default_address"):
        Address.objects.create(user=ada, is_default=True, **HOME)


def test_nobody_sees_or_changes_another_users_address(signed_in: Client, other: User) -> None:
    theirs = Address.objects.create(user=other, is_default=True, **HOME)
    path = f"/accounts/addresses/{theirs.pk}/"

    assert signed_in.get(path).status_code == 404
    assert signed_in.post(path, HOME | {"line1": "Mine now"}).status_code == 404
    assert signed_in.post(f"{path}delete/").status_code == 404

    theirs.refresh_from_db()
    assert (theirs.line1, theirs.is_default) == ("Am Kai 1", True)


def test_an_old_order_keeps_its_address(signed_in: Client, ada: User) -> None:
    save_address(ada, address_id=None, values=HOME | {"is_default": True})
    address = ada.addresses.get()
    order = order_by(ADA, user=ada)
    Order.objects.filter(pk=order.pk).update(address=HOME)

    open_page(signed_in, f"/accounts/addresses/{address.pk}/").send(line1="Moved 2")
    signed_in.post(f"/accounts/addresses/{address.pk}/delete/")

    order.refresh_from_db()
    assert order.address["line1"] == "Am Kai 1"
    assert not ada.addresses.exists()


def test_another_country_has_its_own_fields_before_anything_is_saved(
    signed_in: Client, ada: User
) -> None:
    typed = {"line1": "Kept 1", "country": "JP"}

    by_htmx = signed_in.post("/accounts/addresses/new/fields/", typed).content.decode()
    by_button = signed_in.post("/accounts/addresses/new/", typed | {"change": "country"})

    for html in (by_htmx, by_button.content.decode()):
        assert "Prefecture" in html
        assert 'value="Kept 1"' in html
        assert "errorlist" not in html
    assert by_button.status_code == 200
    assert not ada.addresses.exists()


def test_only_so_many_addresses_are_kept(signed_in: Client, ada: User) -> None:
    for _address in range(MAX_ADDRESSES):
        save_address(ada, address_id=None, values=HOME | {"is_default": False})

    signed_in.post("/accounts/addresses/new/", HOME)

    assert ada.addresses.count() == MAX_ADDRESSES


@pytest.mark.parametrize("line1", ["", "x" * 201, "a\x00b", "\u202eabc", "   "])
def test_an_address_that_is_none_is_refused(signed_in: Client, line1: str) -> None:
    answer = signed_in.post("/accounts/addresses/new/", HOME | {"line1": line1})

    assert answer.status_code == 422
    assert re.search(r'name="line1"[^>]* autofocus', answer.content.decode())
    assert not Address.objects.exists()


# ── Settings ────────────────────────────────────────────────────────────────────────────────


def test_a_new_password_leads_back_to_the_settings(signed_in: Client) -> None:
    new = "a bicycle for two"

    answer = signed_in.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": new, "password2": new},
    )

    assert answer.headers["Location"] == "/accounts/settings/"


def test_the_language_belongs_to_the_account(signed_in: Client, ada: User) -> None:
    answer = open_page(signed_in, "/accounts/settings/").send(name="王小明", language="zh-hans")

    assert answer.cookies["django_language"].value == "zh-hans"
    ada.refresh_from_db()
    assert (ada.name, ada.language) == ("王小明", "zh-hans")
    elsewhere = Client()
    elsewhere.post("/accounts/login/", {"login": ADA, "password": PASSWORD})
    assert '<html lang="zh-hans">' in elsewhere.get("/").content.decode()


def test_choosing_a_language_in_the_header_is_remembered(signed_in: Client, ada: User) -> None:
    signed_in.post("/i18n/setlang/", {"language": "zh-hans"})
    signed_in.post("/i18n/setlang/", {"language": "xx"})

    ada.refresh_from_db()
    assert ada.language == "zh-hans"


def test_news_are_off_until_somebody_wants_them(signed_in: Client, ada: User) -> None:
    assert not ada.wants_announcements

    open_page(signed_in, "/accounts/settings/").send(wants_announcements="on")

    ada.refresh_from_db()
    assert ada.wants_announcements


@pytest.mark.parametrize("signed", [True, False])
def test_a_muted_message_is_not_sent(signed_in: Client, ada: User, signed: bool) -> None:
    order = order_by(ADA, user=ada if signed else None)
    order.refresh_from_db()
    record(order, OrderEvent.Kind.DELIVERED, user=None)
    assert len(said("order_delivered")) == 1  # the control
    Notification.objects.all().delete()

    open_page(signed_in, "/accounts/settings/").send(welcome_events=None)
    record(order, OrderEvent.Kind.DELIVERED, user=None)

    assert said("order_delivered") == []


def test_what_must_be_said_cannot_be_muted(ada: User) -> None:
    User.objects.update(muted_events=["order_cancelled"])
    order = order_by(ADA, user=ada)
    order.refresh_from_db()

    record(order, OrderEvent.Kind.CANCELLED, user=None)

    assert len(said("order_cancelled")) == 1


# ── E-mail and phone ────────────────────────────────────────────────────────────────────────


def test_a_new_address_counts_when_its_code_is_typed_in(signed_in: Client, ada: User) -> None:
    signed_in.post("/accounts/reauthenticate/", {"password": PASSWORD})
    signed_in.post("/accounts/email/", {"email": "ada@new.example", "action_add": ""})
    ada.refresh_from_db()
    assert ada.email == ADA

    code = last_code("email_confirmation", to="ada@new.example")
    signed_in.post("/accounts/confirm-email/", {"code": code})

    ada.refresh_from_db()
    assert ada.email == "ada@new.example"
    assert said("account_changed")[0].context["new_email"] == "ada@new.example"
    assert not EmailAddress.objects.filter(email=ADA).exists()


def test_an_address_is_not_changed_without_the_password(signed_in: Client) -> None:
    answer = signed_in.post("/accounts/email/", {"email": "eve@example.org", "action_add": ""})

    assert answer.headers["Location"].startswith("/accounts/reauthenticate/")
    assert not Notification.objects.exists()


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("+86 138 0013 8000", "+8613800138000"), ("0151 12345678", "+4915112345678")],
)
def test_a_phone_is_kept_when_its_code_is_typed_in(
    signed_in: Client, ada: User, settings: Any, typed: str, stored: str
) -> None:
    settings.SMS_URL = "http://localhost/sms"
    signed_in.post("/accounts/reauthenticate/", {"password": PASSWORD})
    signed_in.post("/accounts/phone/change/", {"phone": typed})
    ada.refresh_from_db()
    assert ada.phone == ""

    code = last_code("phone_confirmation", to=stored)
    signed_in.post("/accounts/phone/verify/", {"code": code})

    ada.refresh_from_db()
    assert ada.phone == stored
    assert checkout_defaults(ada)["phone"] == stored
    assert is_known(stored)


def test_without_a_gateway_nobody_is_asked_for_a_phone(signed_in: Client, settings: Any) -> None:
    settings.SMS_URL = ""

    assert signed_in.get("/accounts/phone/change/").status_code == 404
    assert "/accounts/phone/" not in signed_in.get("/accounts/settings/").content.decode()


def test_two_users_never_share_an_address_in_any_spelling(ada: User) -> None:
    with pytest.raises(IntegrityError, match="user_email_is_unique_in_any_case"):
        User.objects.create_user("ada2", "ADA@example.org")
