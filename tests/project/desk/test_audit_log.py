"""The audit log: old and new, who and why, in words; actions and buttons as well."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import translation

from orders.models import Product, User
from project.desk.audit_log import record_action, told
from tests.desk import message, placed
from tests.factories import add_product
from tests.pages import open_page

pytestmark = pytest.mark.django_db


def product_url(product: Product, page: str = "change") -> str:
    return f"/admin/orders/product/{product.pk}/{page}/"


def test_a_price_keeps_its_old_and_new_value_with_the_reason(admin_client: Client) -> None:
    mug = add_product("MUG", price="2.50")

    open_page(admin_client, product_url(mug)).send(
        price="3.00", is_active=None, _reason="Costs rose"
    )
    page = admin_client.get(product_url(mug, "history")).content.decode()

    [words] = [told(entry) for entry in LogEntry.objects.all()]
    assert {(v.label, v.old, v.new) for v in words.values} == {
        ("Price", "2.50", "3.00"),
        ("On sale", "yes", "no"),
    }
    assert words.reason == "Costs rose"
    assert "Costs rose" in page
    assert "<bdi>2.50</bdi>" in page


def test_the_history_is_read_in_the_readers_language(admin_client: Client) -> None:
    mug = add_product("MUG")
    open_page(admin_client, product_url(mug)).send(is_active=None)

    page = admin_client.get(
        product_url(mug, "history"), headers={"accept-language": "zh-hans"}
    ).content.decode()

    assert "<bdi>是</bdi>" in page
    assert "<bdi>否</bdi>" in page


def test_no_password_is_in_the_log(admin_client: Client) -> None:
    new = {"password1": "correct horse battery", "password2": "correct horse battery"}
    ada = User.objects.create_user("ada")

    admin_client.post(f"/admin/orders/user/{ada.pk}/password/", new)
    open_page(admin_client, "/admin/orders/user/add/").send(
        username="eve", usable_password="true", **new
    )

    logged = " ".join(LogEntry.objects.values_list("change_message", flat=True))
    assert LogEntry.objects.count() == 2
    assert "horse" not in logged


def test_an_action_of_a_list_is_an_entry_of_each_row(admin_client: Client) -> None:
    chosen = [add_product("A"), add_product("B")]

    admin_client.post(
        "/admin/orders/product/",
        {"action": "take_off_sale", "_selected_action": [product.pk for product in chosen]},
    )

    entries = list(LogEntry.objects.order_by("object_id"))
    assert [entry.object_id for entry in entries] == [str(product.pk) for product in chosen]
    assert [told(entry).sentences for entry in entries] == [["Take off sale"]] * 2


@pytest.mark.parametrize("chosen", [[], ["junk"]])
def test_an_action_on_nothing_is_no_entry(chosen: list[str], admin_client: Client) -> None:
    add_product("A")

    admin_client.post(
        "/admin/orders/product/", {"action": "take_off_sale", "_selected_action": chosen}
    )

    assert not LogEntry.objects.exists()


def test_a_button_is_an_entry(admin_client: Client) -> None:
    waiting = message(placed(add_product("MUG")))

    admin_client.post(f"/admin/notifications/notification/{waiting.pk}/decide/cancel/")

    entry = LogEntry.objects.get()
    assert (told(entry).sentences, entry.object_id) == (["Cancel"], str(waiting.pk))


def test_many_rows_are_one_entry_with_their_number(admin_client: Client, admin_user: Any) -> None:
    record_action(user_id=admin_user.pk, label="Retry", model=Product, count=50_000)

    [entry] = LogEntry.objects.all()
    page = admin_client.get("/admin/admin/logentry/").content.decode()

    assert told(entry).sentences == ["Retry (50000 rows)"]
    assert "Retry (50000 rows)" in page


def test_entries_from_before_are_told_as_django_tells_them(admin_user: Any) -> None:
    old = LogEntry(
        user=admin_user,
        action_flag=2,
        change_message=json.dumps([{"changed": {"fields": ["Name"]}}]),
    )

    assert told(old).sentences == ["Changed Name."]
    assert told(LogEntry(action_flag=2, change_message="by hand")).sentences == ["by hand"]


@pytest.mark.parametrize(
    "query", ["person=1", "kind=orders.product", "q=MUG", "kind=junk", "person=junk"]
)
def test_the_log_is_filtered_and_searched(query: str, admin_client: Client) -> None:
    mug = add_product("MUG")
    open_page(admin_client, product_url(mug)).send(price="9.99")

    answer = admin_client.get(f"/admin/admin/logentry/?{query}")

    assert answer.status_code == 200


def test_a_forms_labels_are_read_in_the_readers_language(admin_client: Client) -> None:
    """A label begins with a capital, its text in the catalogue doesn't; a time has its zone."""
    open_page(admin_client, "/admin/orders/voucher/add/").send(
        code="SPRING", value="10", ends_at_0="2026-12-01", ends_at_1="10:00"
    )
    open_page(admin_client, "/admin/orders/announcement/add/").send(
        subject_en="Tea", text_en="It came."
    )

    with translation.override("zh-hans"):
        labels = {value.label for entry in LogEntry.objects.all() for value in told(entry).values}

    assert {"优惠码", "英文主题", f"结束 ({settings.TIME_ZONE})"} <= labels


def test_a_choice_is_logged_without_its_markup(admin_client: Client) -> None:
    open_page(admin_client, "/admin/notifications/webhookendpoint/add/").send(
        name="ERP", url="https://example.org/hook", events=["order.placed"]
    )

    [entry] = LogEntry.objects.all()
    [events] = [value.new for value in told(entry).values if value.label == "Events"]
    assert events == "Order placed order.placed"
