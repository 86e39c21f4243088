"""One mailbox is one address at every entrance, however it is written."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection
from django.test import Client

from notifications.models import Notification
from orders.accounts.addresses import checkout_defaults
from orders.accounts.history import orders_of
from orders.accounts.staff import staff
from orders.models import Order, User
from project.email_addresses import InvalidAddressError, deliverable_address, escaped_address
from tests.factories import add_product, make_order
from tests.orders.accounts.pages import (
    ADA,
    PASSWORD,
    ask_for_code,
    confirm,
    is_signed_in,
    last_code,
    said,
)

pytestmark = pytest.mark.django_db

MUNICH = "ada@xn--mnchen-3ya.example"
SPELLINGS = [
    *("ada@münchen.example", "ADA@MÜNCHEN.example", "ada@xn--mnchen-3ya.example"),
    *("ａｄａ＠münchen．example", "a\u200bda@mün\u00adchen.example"),
]


@pytest.mark.parametrize("second", SPELLINGS)
def test_a_mailbox_has_one_account_whatever_its_spelling(second: str, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = False  # two sign-ups of one address in a minute
    client = Client()
    ask_for_code(client, "ada@münchen.example")
    confirm(client, last_code("sign_in_code", to=MUNICH))

    ask_for_code(Client(), second)

    assert [user.email for user in User.objects.all()] == [MUNICH]
    assert EmailAddress.objects.get().email == MUNICH
    assert len(said("sign_in_code", to=MUNICH)) == 2


def test_the_checkout_is_filled_with_the_domain_in_its_own_script(ada: User) -> None:
    ada.email = MUNICH

    assert checkout_defaults(ada)["email"] == "ada@münchen.example"


def test_pages_show_the_domain_in_its_own_script(client: Client) -> None:
    order = make_order()
    Order.objects.filter(pk=order.pk).update(email=MUNICH)

    asked = client.post("/orders/find/", {"number": order.number, "email": MUNICH})
    page = client.get(f"/orders/{order.pk}/")

    assert "ada@münchen.example" in asked.content.decode()
    assert "ada@münchen.example" in page.content.decode()


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_each_spelling_signs_in_by_code_and_by_password(spelling: str, ada: User) -> None:
    User.objects.update(email=MUNICH)
    EmailAddress.objects.update(email=MUNICH)
    by_password = Client()

    ask_for_code(Client(), spelling)
    by_password.post("/accounts/login/", {"login": spelling, "password": PASSWORD})

    assert len(said("sign_in_code", to=MUNICH)) == 1
    assert is_signed_in(by_password)


def test_another_spelling_gives_no_ten_more_passwords(
    client: Client, ada: User, settings: Any
) -> None:
    settings.ACCOUNT_RATE_LIMITS = False  # here django-axes is on its own
    User.objects.update(email=MUNICH)
    EmailAddress.objects.update(email=MUNICH)
    for spelling in SPELLINGS * 2:
        client.post("/accounts/login/", {"login": spelling, "password": "wrong"})

    answer = client.post("/accounts/login/", {"login": MUNICH, "password": PASSWORD})

    assert answer.status_code == 429


def test_a_changed_address_is_stored_in_the_one_form(signed_in: Client, ada: User) -> None:
    signed_in.post("/accounts/reauthenticate/", {"password": PASSWORD})

    signed_in.post("/accounts/email/", {"email": "ada@münchen.example", "action_add": ""})
    code = last_code("email_confirmation", to=MUNICH)
    signed_in.post("/accounts/confirm-email/", {"code": code})

    assert User.objects.get().email == EmailAddress.objects.get().email == MUNICH


def test_the_first_operator_and_the_staff_have_the_one_form(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    from project.conf import environment

    monkeypatch.setenv("STAFF_EMAILS", "Boss@MÜNCHEN.example, ada@example.org")
    settings.STAFF_EMAILS = environment.addresses("STAFF_EMAILS")
    call_command(
        "createsuperuser",
        "--noinput",
        username="boss",
        email="Boss@münchen.example",
    )

    assert User.objects.get().email == "Boss@xn--mnchen-3ya.example"
    assert [one.email for one in staff()] == ["Boss@xn--mnchen-3ya.example", "ada@example.org"]


# ── What is stored already ──────────────────────────────────────────────────────────────────

orders_migration: Any = import_module("orders.migrations.0016_canonical_addresses")
messages_migration: Any = import_module("notifications.migrations.0013_canonical_recipients")
mending: Any = import_module("orders.migrations.0019_escape_odd_addresses")
mending_messages: Any = import_module("notifications.migrations.0016_mend_recipients")
CHECKS = {
    "orders_order": "order_email_has_the_one_form",
    "orders_user": "user_email_has_the_one_form",
    "account_emailaddress": "email_address_has_the_one_form",
    "notifications_notification": "notification_email_has_the_one_form",
}


@pytest.fixture
def unchecked() -> Callable[[], None]:
    """Drop the CHECKs, as before the update. Returns the function that adds and validates them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint")
        definitions = dict(cursor.fetchall())
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no ALTER TABLE before pending triggers
        for table, name in CHECKS.items():
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")

    def validate() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table, name in CHECKS.items():
                cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definitions[name]}")

    return validate


@pytest.mark.parametrize("table", CHECKS)
@pytest.mark.parametrize(
    "address",
    ["ada@münchen.example", "a\u200bda@example.org", "ada@EXAMPLE.org", "a b@example.org", "ada"],
)
def test_the_database_refuses_another_form(table: str, address: str, ada: User) -> None:
    column = "recipient" if table == "notifications_notification" else "email"
    make_order()
    message(status="queued", recipient=ADA)

    update = f"UPDATE {table} SET {column} = %s"
    with pytest.raises(IntegrityError, match=CHECKS[table]), connection.cursor() as cursor:
        cursor.execute(update, [address])


ODD = ["mıke@example.org", "ada@i❤.EXAMPLE", "ada@i😀.example", "a b@example.org", "no address"]


@pytest.mark.parametrize("address", ODD)
def test_what_has_no_form_is_escaped_and_the_checks_hold(
    address: str, ada: User, unchecked: Callable[[], None]
) -> None:
    order = make_order()
    Order.objects.update(email=address)
    User.objects.update(email=address)
    EmailAddress.objects.update(email=address)
    sent = message(status="done", recipient=address)

    mending.mend_orders(apps, None)
    mending.mend_accounts(apps, None)
    mending_messages.mend_recipients(apps, None)

    unchecked()
    order.refresh_from_db()
    sent.refresh_from_db()
    assert order.email == sent.recipient == escaped_address(address)
    assert User.objects.get().email == EmailAddress.objects.get().email
    with pytest.raises(InvalidAddressError):
        deliverable_address(order.email)


def test_a_message_that_went_to_both_spellings_stays_two(unchecked: Callable[[], None]) -> None:
    order = make_order()
    message(status="done", recipient=MUNICH, order_id=order.pk)
    twin = message(status="done", recipient="ada@münchen.example", order_id=order.pk)

    mending_messages.mend_recipients(apps, None)

    unchecked()
    twin.refresh_from_db()
    assert twin.recipient == r"ada@m\xfcnchen.example"


def message(**fields: Any) -> Notification:
    return Notification.objects.create(
        kind="x", event="order_link", channel="email", language="en", **fields
    )


@pytest.mark.usefixtures("unchecked")
def test_stored_addresses_get_the_one_form(ada: User) -> None:
    order, plain = make_order(add_product("CUP")), make_order()
    Order.objects.filter(pk=order.pk).update(email="Ada@MÜNCHEN.example")
    User.objects.update(email="ada@mün\u00adchen.example")
    EmailAddress.objects.update(email="ada@münchen.example")

    orders_migration.change_orders(apps, None)
    orders_migration.change_accounts(apps, None)

    order.refresh_from_db()
    plain.refresh_from_db()
    assert (order.email, plain.email) == ("Ada@xn--mnchen-3ya.example", ADA)
    assert User.objects.get().email == EmailAddress.objects.get().email == MUNICH
    assert list(orders_of(ada)) == [order]


@pytest.mark.usefixtures("unchecked")
def test_the_batches_reach_every_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders_migration, "BATCH", 2)
    for number in range(5):
        order = make_order(add_product(f"N{number}"))
        Order.objects.filter(pk=order.pk).update(email="ada@münchen.example")
    Order.objects.filter(pk=order.pk).update(email="no address\u202e")

    orders_migration.change_orders(apps, None)

    assert Order.objects.filter(email=MUNICH).count() == 4


def test_two_accounts_of_one_mailbox_are_kept_and_named(
    ada: User, capsys: pytest.CaptureFixture[str], unchecked: Callable[[], None]
) -> None:
    User.objects.update(email=MUNICH)
    EmailAddress.objects.update(email=MUNICH)
    twin = User.objects.create_user("twin")
    User.objects.filter(pk=twin.pk).update(email="ada@münchen.example")
    EmailAddress.objects.create(user=twin, email="ada@münchen.example", verified=True)

    orders_migration.change_accounts(apps, None)

    assert set(User.objects.values_list("email", flat=True)) == {MUNICH, "ada@münchen.example"}
    assert f"Users {twin.pk} and {ada.pk} have one mailbox, {MUNICH}" in capsys.readouterr().out

    mending.mend_accounts(apps, None)

    unchecked()
    twin.refresh_from_db()
    assert twin.email == EmailAddress.objects.get(user=twin).email == r"ada@m\xfcnchen.example"


@pytest.mark.usefixtures("unchecked")
def test_open_and_reported_messages_get_the_one_form_and_others_stay() -> None:
    waiting = message(status="queued", recipient="ada@straße.example")
    sent = message(status="done", recipient="ada@straße.example")

    messages_migration.change_recipients(apps, None)

    waiting.refresh_from_db()
    sent.refresh_from_db()
    assert waiting.recipient == "ada@xn--strae-oqa.example"
    assert sent.recipient == "ada@straße.example"
