"""Any message, as it would look with a real order."""

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from notifications.models import Notification
from orders.models import Announcement, Order, OrderEvent
from tests.desk import placed
from tests.factories import add_product

pytestmark = pytest.mark.django_db

PREVIEW = "/admin/orders/order/preview/"


@pytest.fixture
def order(db: None) -> Order:
    return placed(add_product("MUG", price="12.30"), quantity=2)


def look(client: Client, **query: str) -> Any:
    return client.get(PREVIEW, query)


def words(answer: Any) -> str:
    return " ".join(unescape(strip_tags(answer.content.decode())).split())


@pytest.mark.parametrize("event", ["order_paid", "order_shipped", "order_refunded"])
def test_looking_writes_nothing(event: str, admin_client: Client, order: Order) -> None:
    before = Notification.objects.count()

    look(admin_client, event=event)

    assert Notification.objects.count() == before
    order.refresh_from_db()
    assert order.status == Order.Status.PLACED


def test_the_latest_order_is_shown_unless_another_is_named(admin_client: Client) -> None:
    first, latest = placed(add_product("ONE")), placed(add_product("TWO"))

    assert latest.display_number in words(look(admin_client))
    named = look(admin_client, order=f" t{first.number} ")
    assert f"your order {first.display_number}." in named.context["words"].text


@pytest.mark.parametrize("number", ["T999999999", "abc", "9" * 20])
def test_an_order_that_is_not_there_is_said_at_its_field(
    number: str, admin_client: Client, order: Order
) -> None:
    answer = look(admin_client, order=number)

    assert answer.status_code == 422
    assert "There is no order with this number." in words(answer)


def test_an_event_without_that_channel_says_so_and_which_it_has(
    admin_client: Client, order: Order
) -> None:
    answer = look(admin_client, event="order_paid", channel="sms", order=order.display_number)

    assert answer.status_code == 200
    assert "“Order paid” isn't sent by this channel." in words(answer)
    assert f"?event=order_paid&amp;channel=email&amp;language=en&amp;order={order}" in (
        answer.content.decode()
    )


def test_a_shop_without_orders_says_what_to_do(admin_client: Client) -> None:
    assert "There is no order yet." in words(look(admin_client))


@pytest.mark.parametrize("query", [{"event": "moon_landing"}, {"language": "xx"}])
def test_what_is_not_there_is_refused(
    query: dict[str, str], admin_client: Client, order: Order
) -> None:
    assert look(admin_client, **query).status_code == 422


def test_an_sms_shows_its_segments(admin_client: Client, order: Order) -> None:
    english = look(admin_client, channel="sms", language="en")
    chinese = look(admin_client, channel="sms", language="zh-hans")

    assert english.context["sms"].encoding == "GSM-7"
    assert chinese.context["sms"].encoding == "UCS-2"
    for answer in (english, chinese):
        sms = answer.context["sms"]
        shown = f"Segments {sms.segments} Encoding {sms.encoding} Units {sms.units} of "
        assert shown in words(answer)


def test_the_dots_that_stand_for_a_code_are_counted_as_digits(
    admin_client: Client, order: Order
) -> None:
    shown = look(admin_client, event="phone_confirmation", channel="sms", language="en")

    assert "••••••" in shown.context["words"].text
    assert (shown.context["sms"].encoding, shown.context["sms"].segments) == ("GSM-7", 1)


def test_the_html_can_do_nothing(admin_client: Client) -> None:
    placed(add_product("MUG"), name="<script>alert(1)</script>")

    page = look(admin_client).content.decode()

    assert "<script>alert(1)" not in page
    frames = re.findall(r"<iframe([^>]*)>", page)
    assert len(frames) == 2
    assert all("sandbox" in frame.split() for frame in frames)


def test_the_html_is_shown_light_and_dark_whatever_the_operators_system_is(
    admin_client: Client, order: Order
) -> None:
    answer = look(admin_client)

    assert "@media not all {" in answer.context["light"]
    assert "@media all {" in answer.context["dark"]
    assert "prefers-color-scheme" not in answer.context["light"] + answer.context["dark"]


def test_what_the_order_has_come_to_is_shown_as_it_was(admin_client: Client, order: Order) -> None:
    detail = {"carrier": "Yamato", "tracking_number": "YM-77"}
    OrderEvent.objects.create(order=order, kind="shipped", detail=detail)

    assert "Yamato" in look(admin_client, event="order_shipped").context["words"].text


def test_the_latest_announcement_is_shown_in_its_language(
    admin_client: Client, order: Order
) -> None:
    Announcement.objects.create(
        subject_en="Sale", text_en="All cups", subject_zh_hans="促销", text_zh_hans="所有杯子"
    )

    chinese = look(admin_client, event="announcement", language="zh-hans")

    assert chinese.context["words"].subject == "促销"


def test_a_code_is_masked(admin_client: Client, order: Order) -> None:
    assert "••••••" in look(admin_client, event="sign_in_code").context["words"].subject


def test_the_page_takes_few_queries(admin_client: Client, order: Order) -> None:
    with CaptureQueriesContext(connection) as queries:
        look(admin_client, event="order_shipped")

    assert len(queries) <= 8


def test_the_list_and_the_orders_page_lead_there(admin_client: Client, order: Order) -> None:
    listed = admin_client.get("/admin/notifications/notification/").content.decode()
    page = admin_client.get(f"/admin/orders/order/{order.pk}/change/").content.decode()

    assert f'href="{PREVIEW}"' in listed
    assert f'href="{PREVIEW}?order={order.display_number}"' in page


def test_who_may_not_see_orders_sees_no_preview(order: Order, django_user_model: Any) -> None:
    client = Client()
    client.force_login(django_user_model.objects.create_user("temp", is_staff=True))

    assert look(client).status_code == 403
