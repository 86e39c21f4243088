"""Changes at a set time on a product's page: planned, edited, and left alone once applied."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client
from django.utils import timezone

from orders.catalogue.scheduled_changes import apply_scheduled
from orders.desk.scheduled import ScheduledChangeForm
from orders.models import Product, ScheduledChange
from tests.factories import add_product
from tests.pages import OpenedPage, open_page

pytestmark = pytest.mark.django_db

What = ScheduledChange.What


def clock(hours: float) -> str:
    """What the browser's field holds for so many hours from now."""
    return f"{timezone.localtime() + timedelta(hours=hours):%Y-%m-%dT%H:%M}"


def open_product(client: Client, product: Product) -> OpenedPage:
    return open_page(client, f"/admin/orders/product/{product.pk}/change/")


def save(client: Client, product: Product, *rows: dict[str, Any]) -> Any:
    """Open the page and send it with these rows of changes; those with an id are there already."""
    values: dict[str, Any] = {"scheduled_changes-TOTAL_FORMS": len(rows)}
    for number, row in enumerate(rows):
        for name, value in row.items():
            values[f"scheduled_changes-{number}-{name}"] = value
    return open_product(client, product).send(**values)


def planned(product: Product, **fields: Any) -> ScheduledChange:
    values = {"what": What.PRICE, "price": "8.00", "at": timezone.now() + timedelta(hours=1)}
    return ScheduledChange.objects.create(product=product, **values | fields)


def test_a_change_is_planned_with_who_did_it(admin_client: Client, admin_user: Any) -> None:
    mug = add_product("MUG", price="10.00")

    answer = save(
        admin_client,
        mug,
        {"what": "price", "price": "8.00", "at": clock(1), "back_at": clock(2)},
    )

    assert answer.status_code == 302
    change = ScheduledChange.objects.get()
    assert (change.what, str(change.price), change.user) == ("price", "8.00", admin_user)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"what": "price", "at": clock(1)}, "Enter the new price."),
        ({"what": "on_sale", "at": clock(2), "back_at": clock(1)}, "The end must be after"),
    ],
)
def test_what_makes_no_sense_is_refused(
    admin_client: Client, row: dict[str, Any], says: str
) -> None:
    answer = save(admin_client, add_product("MUG"), row)

    assert says in answer.content.decode()
    assert not ScheduledChange.objects.exists()


def test_two_changes_that_overlap_in_time_are_refused(admin_client: Client) -> None:
    sale = {"what": "price", "price": "8.00", "at": clock(1), "back_at": clock(3)}
    other = {"what": "price", "price": "7.00", "at": clock(2)}

    answer = save(admin_client, add_product("MUG"), sale, other)

    assert "Two changes overlap in time." in answer.content.decode()


def test_a_planned_change_is_edited(admin_client: Client) -> None:
    mug = add_product("MUG")
    change = planned(mug)

    save(admin_client, mug, {"id": change.pk, "what": "on_sale", "price": "8.00", "at": clock(5)})

    change.refresh_from_db()
    assert (change.what, change.price) == (What.ON_SALE, None)
    assert change.at > timezone.now() + timedelta(hours=4)


def test_an_applied_change_stays_as_it_is(admin_client: Client) -> None:
    mug = add_product("MUG", price="10.00")
    change = planned(mug, at=timezone.now() - timedelta(minutes=1))
    apply_scheduled()
    mug.refresh_from_db()

    row = {"id": change.pk, "what": "price", "price": "1.00", "at": clock(1), "DELETE": "on"}
    save(admin_client, mug, row)

    change.refresh_from_db()
    assert str(change.price) == "8.00"
    assert change.applied_at


def test_a_change_that_the_relay_applies_while_its_form_is_saved_is_applied_once(
    admin_client: Client,
) -> None:
    mug = add_product("MUG", price="10.00")
    change = planned(mug, at=timezone.now() + timedelta(minutes=1))
    clean = ScheduledChangeForm.clean

    def relay_comes_in_between(form: ScheduledChangeForm) -> dict[str, Any]:
        values = clean(form)
        past = timezone.now() - timedelta(hours=1)
        ScheduledChange.objects.filter(pk=change.pk).update(at=past)
        apply_scheduled()
        return values

    with patch.object(ScheduledChangeForm, "clean", relay_comes_in_between):
        save(admin_client, mug, {"id": change.pk, "what": "price", "price": "9.00", "at": clock(1)})

    change.refresh_from_db()
    assert (str(change.price), str(Product.objects.get().price)) == ("8.00", "8.00")
    assert change.applied_at is not None


def test_saving_an_old_page_leaves_the_price_that_came_at_its_time(admin_client: Client) -> None:
    mug = add_product("MUG", price="10.00", active=False)
    planned(mug, at=timezone.now() - timedelta(minutes=1))
    planned(mug, what=What.ON_SALE, price=None, at=timezone.now() - timedelta(minutes=1))
    old_page = open_product(admin_client, mug)
    apply_scheduled()

    old_page.send(name="Mug, blue")

    product = Product.objects.get()
    assert (product.name, str(product.price), product.is_active) == ("Mug, blue", "8.00", True)


def test_a_time_that_the_clocks_skip_is_refused(admin_client: Client, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"

    row = {"what": "on_sale", "at": "2027-03-28T02:30"}
    answer = save(admin_client, add_product("MUG"), row)

    assert "may not exist" in answer.content.decode()
