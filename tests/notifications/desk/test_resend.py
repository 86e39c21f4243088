"""A message that was sent is sent again from the desk: once for each page, with who did it."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from notifications.models import Notification
from notifications.resending import is_repeat
from orders.lifecycle.corrections import sent_elsewhere
from orders.models import Order, User
from project.desk.audit_log import told
from project.jobs.queryset import Status
from project.models import JobDecision
from tests.desk import message, placed
from tests.factories import add_product
from tests.orders.shop.pages import text_of
from tests.pages import OpenedPage, link_of, open_page, read_page

pytestmark = pytest.mark.django_db

PHONE = "+4915112345678"


@pytest.fixture
def order(db: None) -> Order:
    order = placed(add_product("MUG"))
    Notification.objects.all().delete()
    return order


def sent_sms(order: Order, **fields: Any) -> Notification:
    sms = {"channel": "sms", "recipient": PHONE, "text": "It is on its way"} | fields
    return message(order, status=Status.DONE, **sms)


def page_of(client: Client, job: Notification) -> OpenedPage:
    return open_page(client, reverse("admin:notifications_notification_resend", args=[job.pk]))


def words(answer: Any) -> str:
    return re.sub("[\u2068\u2069]", "", text_of(answer))


def copies(job: Notification) -> list[Notification]:
    return list(Notification.objects.filter(resent_from=job.pk).order_by("created_at"))


def test_a_sent_sms_goes_to_the_same_number_once_more_from_the_orders_page(
    admin_client: Client, order: Order
) -> None:
    sms = sent_sms(order)
    orders_page = f"/admin/orders/order/{order.pk}/change/"
    link = link_of(admin_client.get(orders_page).content.decode(), "Send again")

    page = open_page(admin_client, link)
    answers = [page.send() for _click in range(3)]  # a double click, and Back

    assert [answer["Location"] for answer in answers] == [orders_page] * 3
    [copy] = copies(sms)
    assert (copy.recipient, copy.text, copy.status) == (PHONE, sms.text, Status.QUEUED)
    decision = JobDecision.objects.get()
    assert (decision.job_id, decision.label, str(decision.user)) == (sms.pk, "Send again", "admin")
    assert told(LogEntry.objects.get()).sentences == ["Send again"]
    assert "Send again: Order placed" in re.sub(
        "[\u2068\u2069]", "", text_of(admin_client.get(orders_page))
    )


def test_each_page_that_is_opened_anew_sends_one_more(admin_client: Client, order: Order) -> None:
    sms = sent_sms(order)

    for _time in range(2):
        page_of(admin_client, sms).send()

    assert [copy.recipient for copy in copies(sms)] == [PHONE] * 2


def test_a_corrected_number_gets_the_copy_once(admin_client: Client, order: Order) -> None:
    sms = sent_sms(order)
    page = page_of(admin_client, sms)

    for _click in range(2):
        page.send(phone="+49 151 99999999")

    assert [copy.recipient for copy in copies(sms)] == ["+4915199999999"]
    assert JobDecision.objects.get().label == "Send to another address"


def test_the_second_operator_is_told_of_the_first_and_asked(
    admin_client: Client, order: Order
) -> None:
    sms = sent_sms(order)
    mina = Client()
    mina.force_login(User.objects.create_superuser("mina"))
    page, hers = page_of(admin_client, sms), page_of(mina, sms)
    hers.send()

    answer = page.send()

    assert answer.status_code == 422
    assert f"mina sent it to {PHONE} meanwhile" in words(answer)
    assert len(copies(sms)) == 1

    read_page(admin_client, page.url, answer.content.decode()).send()
    assert len(copies(sms)) == 2


@pytest.mark.parametrize("field", ["key", "copies"])
def test_a_damaged_page_says_so_and_can_be_sent_again(
    field: str, admin_client: Client, order: Order
) -> None:
    sms = sent_sms(order)
    page = page_of(admin_client, sms)

    answer = page.send(**{field: "broken"})

    assert "came damaged" in words(answer)
    assert copies(sms) == []
    read_page(admin_client, page.url, answer.content.decode()).send()
    assert len(copies(sms)) == 1


def test_what_is_not_sent_yet_is_not_sent_twice(admin_client: Client, order: Order) -> None:
    sms = sent_sms(order)
    page = page_of(admin_client, sms)
    Notification.objects.update(status=Status.UNKNOWN)

    answer = page.send()

    assert answer.status_code == 422
    assert copies(sms) == []


def test_a_repeat_is_not_offered_to_a_corrected_address_a_second_time(
    admin_client: Client, order: Order
) -> None:
    sms = sent_sms(order)
    page_of(admin_client, sms).send()
    Order.objects.filter(pk=order.pk).update(phone="+4915199999999")

    offered = sent_elsewhere(Order.objects.get(pk=order.pk))

    assert is_repeat(copies(sms)[0])
    assert offered == [sms]
