"""Users at the desk: their address is one thing, though two tables have it."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from notifications.events import EVENTS
from orders.accounts.history import orders_of
from orders.models import Order, User
from tests.desk import placed
from tests.factories import add_product
from tests.pages import open_page

pytestmark = pytest.mark.django_db
OLD, NEW = "ada@example.org", "ada@new.example"


@pytest.fixture
def ada(db: None) -> User:
    user = User.objects.create_user("ada", OLD, "correct horse battery")
    EmailAddress.objects.create(user=user, email=OLD, verified=True, primary=True)
    return user


def save(client: Client, user: User, **changes: Any) -> Any:
    page = open_page(client, reverse("admin:orders_user_change", args=[user.pk]))
    return page.send(**changes)


def page_of(client: Client, user: User) -> str:
    return client.get(reverse("admin:orders_user_change", args=[user.pk])).content.decode()


def test_a_changed_address_replaces_the_old_one_everywhere(admin_client: Client, ada: User) -> None:
    old, new = placed(add_product("MUG")), placed(add_product("CUP"))
    Order.objects.filter(pk=new.pk).update(email=NEW)

    answer = save(admin_client, ada, email="Ada@NEW.example")

    assert answer.status_code == 302
    assert User.objects.get(pk=ada.pk).email == "Ada@new.example"
    [row] = EmailAddress.objects.filter(user=ada)
    assert (row.email, row.verified, row.primary) == (NEW, False, True)
    told = [str(message) for message in get_messages(answer.wsgi_request)]
    assert any("is not confirmed yet" in text for text in told)
    assert not orders_of(ada).exists()
    EmailAddress.objects.update(verified=True)  # as the next sign-in code does
    assert list(orders_of(ada)) == [new]
    assert old not in orders_of(ada)


def test_the_old_mailbox_no_longer_signs_in(admin_client: Client, ada: User) -> None:
    shopper = Client()

    save(admin_client, ada, email=NEW)
    shopper.post("/accounts/login/", {"login": OLD, "password": "correct horse battery"})

    assert shopper.get("/accounts/").status_code == 302


def test_another_change_leaves_the_address_confirmed(admin_client: Client, ada: User) -> None:
    save(admin_client, ada, name="Ada Lovelace")

    assert User.objects.get(pk=ada.pk).name == "Ada Lovelace"
    assert EmailAddress.objects.get(user=ada).verified


def test_an_operators_account_gets_no_row_that_the_prune_would_judge(
    admin_client: Client,
) -> None:
    bob = User.objects.create_user("bob", "bob@example.org")

    save(admin_client, bob, email="bob@new.example")

    assert User.objects.get(pk=bob.pk).email == "bob@new.example"
    assert not EmailAddress.objects.exists()


@pytest.mark.parametrize(
    "email",
    ["eve@example.org", "EVE@example.org", "x\u202e@example.org", "ada@localhost", "a@[127.0.0.1]"],
)
def test_an_address_of_another_account_is_refused(
    email: str, admin_client: Client, ada: User
) -> None:
    eve = User.objects.create_user("eve", "eve@old.example")
    EmailAddress.objects.create(user=eve, email="eve@example.org", verified=True)

    answer = save(admin_client, ada, email=email)

    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors["email"]
    assert EmailAddress.objects.get(user=ada).email == OLD


def test_the_page_says_whether_the_address_is_confirmed(admin_client: Client, ada: User) -> None:
    confirmed = page_of(admin_client, ada)
    EmailAddress.objects.update(verified=False)
    unconfirmed = page_of(admin_client, ada)

    assert "Not confirmed yet" not in confirmed
    assert "Not confirmed yet" in unconfirmed


def test_the_page_says_in_words_which_messages_are_muted(admin_client: Client, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(muted_events=["order_shipped", "of_an_older_release"])

    page = page_of(admin_client, ada)

    assert f"{EVENTS['order_shipped'].label}, of_an_older_release" in page
    assert "[&quot;" not in page


def test_the_list_of_addresses_says_where_to_change_one(admin_client: Client, ada: User) -> None:
    row = EmailAddress.objects.get()
    url = reverse("admin:account_emailaddress_change", args=[row.pk])

    page = admin_client.get(url).content.decode()
    admin_client.post(url, {"user": ada.pk, "email": NEW, "primary": "on", "verified": "on"})

    assert reverse("admin:orders_user_change", args=[ada.pk]) in page
    assert EmailAddress.objects.get().email == OLD
    assert admin_client.get(reverse("admin:account_emailaddress_add")).status_code == 403


def test_an_address_that_a_user_is_changing_to_can_not_be_confirmed_for_them(
    admin_client: Client, ada: User
) -> None:
    pending = EmailAddress.objects.create(user=ada, email=NEW)

    answer = admin_client.post(
        reverse("admin:account_emailaddress_change", args=[pending.pk]), {"verified": "on"}
    )

    assert answer.status_code == 403
    assert not EmailAddress.objects.get(pk=pending.pk).verified


@pytest.mark.parametrize("name", ["orders_user", "account_emailaddress", "orders_order"])
def test_a_list_finds_an_address_in_any_spelling(name: str, admin_client: Client) -> None:
    email = "ada@xn--mnchen-3ya.example"
    user = User.objects.create_user("ada", email)
    EmailAddress.objects.create(user=user, email=email)
    order = placed(add_product("MUG"))
    Order.objects.filter(pk=order.pk).update(email=email)

    answer = admin_client.get(
        reverse(f"admin:{name}_changelist"), {"q": "ADA@münchen\u200b.example"}
    )

    assert len(answer.context["cl"].result_list) == 1
