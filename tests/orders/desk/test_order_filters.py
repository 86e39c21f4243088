"""The filters of the orders' list, and the views that operators save of it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db.models.functions import Now
from django.test import Client

from orders.lifecycle.payments import pay, undo_payment
from orders.models import Order, OrderEvent, User
from project.desk import saved_views
from project.models import SavedView
from tests.desk import placed
from tests.factories import add_product
from tests.pages import OpenedPage

pytestmark = pytest.mark.django_db
LIST = "/admin/orders/order/"


def names(client: Client, **query: str) -> list[str]:
    return [order.name for order in client.get(LIST, query).context["cl"].result_list]


@pytest.fixture
def shop(db: None) -> None:
    """Two orders that differ in all that a filter knows."""
    mug = placed(add_product("MUG", price="10"), name="Ada")
    tea = placed(add_product("TEA", price="99"), name="Bob")
    Order.objects.filter(pk=mug.pk).update(address={"country": "FR"}, status="shipped")
    Order.objects.filter(pk=tea.pk).update(placed_at=Now() - timedelta(days=100))
    OrderEvent.objects.create(order=mug, kind="shipped", detail={"carrier": "Colis Privé"})


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"country": "FR"}, ["Ada"]),
        ({"country": "pickup"}, ["Bob"]),
        ({"country": "XX"}, []),
        ({"carrier": "colis PRIVÉ"}, ["Ada"]),
        ({"carrier": "Colis"}, []),
        ({"product": "tea"}, ["Bob"]),
        ({"product": "thing"}, ["Ada", "Bob"]),
        ({"product": "nothing"}, []),
        ({"payment": "full"}, ["Ada"]),
        ({"payment": "none"}, ["Bob"]),
        ({"total_from": "5", "total_to": "10"}, ["Ada"]),
        ({"total_from": "5"}, ["Ada"]),  # the other is older than ninety days
        ({"total_from": "5", "placed_at_from": "2020-01-01"}, ["Ada", "Bob"]),
        ({"total_from": "nan", "total_to": "1e999999"}, ["Ada", "Bob"]),
        ({"total_from": "5", "placed_at_to": "0001-01-01"}, []),
    ],
)
@pytest.mark.usefixtures("shop")
def test_a_filter_finds_its_orders(
    query: dict[str, str], found: list[str], admin_client: Client
) -> None:
    assert names(admin_client, **query) == found


def save(client: Client, **fields: str) -> Any:
    return OpenedPage(client, f"{LIST}views/").send_and_follow(
        **{"query": "country=FR&p=3", "name": "France"} | fields
    )


@pytest.mark.usefixtures("shop")
def test_a_saved_view_shows_its_orders_under_its_name(admin_client: Client) -> None:
    page = save(admin_client).content.decode()

    assert f'href="{LIST}?country=FR"' in page
    assert "<bdi>France</bdi>" in page
    assert [view for view, is_shown, _may in admin_client.get(
        LIST, {"country": "FR", "q": ""}).context["saved_views"] if is_shown]  # fmt: skip


def test_a_view_is_its_owners_unless_it_is_shared(admin_client: Client, client: Client) -> None:
    save(admin_client, name="Mine")
    save(admin_client, name="Ours", is_shared="on")
    other = User.objects.create_superuser("other")
    client.force_login(other)

    page = client.get(LIST).content.decode()

    assert "<bdi>Ours</bdi>" in page
    assert "<bdi>Mine</bdi>" not in page


def test_the_same_name_replaces_the_view(admin_client: Client) -> None:
    save(admin_client)
    save(admin_client, query="country=DE")

    assert SavedView.objects.get().query == "country=DE"


@pytest.mark.parametrize(
    "fields",
    [{"query": ""}, {"name": ""}, {"query": "nonsense=1"}, {"query": "q=%00"}, {"name": "x" * 61}],
)
def test_what_is_no_view_is_not_saved(fields: dict[str, str], admin_client: Client) -> None:
    assert save(admin_client, **fields).status_code == 200
    assert not SavedView.objects.exists()


def test_an_operator_has_so_many_views_at_most(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_views, "MOST_SAVED", 1)
    save(admin_client)
    save(admin_client, name="Second")

    assert SavedView.objects.get().name == "France"


def looker(*permissions: str) -> Client:
    user = User.objects.create_user("looker", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def test_sharing_and_deleting_need_their_permissions(admin_client: Client) -> None:
    save(admin_client, is_shared="on")
    shared = SavedView.objects.get()
    client = looker("view_order")

    own = save(client, name="Own")
    sharing = save(client, name="Mine", is_shared="on")
    deleting = client.post(f"{LIST}views/{shared.pk}/delete/")
    own_view = SavedView.objects.get(name="Own")
    deleted = client.post(f"{LIST}views/{own_view.pk}/delete/")

    assert (own.status_code, sharing.status_code, deleting.status_code) == (200, 403, 403)
    assert deleted.status_code == 302
    assert SavedView.objects.get() == shared


def test_who_may_not_see_the_list_saves_no_view_of_it() -> None:
    assert save(looker("view_product")).status_code == 403


def test_an_undone_payment_leaves_an_order_unpaid_or_paid_in_part(admin_client: Client) -> None:
    tea = add_product("TEA", price="10")
    for name in ("never paid", "a part", "all undone", "a part undone", "a part left", "all"):
        order = placed(tea, name=name)
        amounts = {"never paid": [], "a part": [4], "all": [10], "all undone": [10]}
        for amount in amounts.get(name, [4, 6] if name == "a part left" else [4]):
            reference = f"{name} {amount}"
            pay(order_id=order.pk, method="card", reference=reference, amount=Decimal(amount))
        if "undone" in name or name == "a part left":
            undo_payment(payment_id=order.payments.latest("pk").pk, reason="mistyped")

    assert names(admin_client, payment="none") == ["a part undone", "all undone", "never paid"]
    assert names(admin_client, payment="part") == ["a part left", "a part"]
    assert names(admin_client, payment="full") == ["all"]
