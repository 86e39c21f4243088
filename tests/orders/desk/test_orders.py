"""Orders at the desk."""

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from media_jobs.models import MediaJob, Rendition
from notifications.models import Notification
from orders.lifecycle.transitions import cancel
from orders.models import Order, Upload
from project.jobs.queryset import Status
from tests import order_states
from tests.desk import message, placed
from tests.factories import add_product, uploaded_file

pytestmark = pytest.mark.django_db

LIST = "/admin/orders/order/"


def numbers(answer: Any) -> list[str]:
    return [order.display_number for order in answer.context["cl"].result_list]


def test_one_page_has_the_lines_the_timeline_and_the_jobs(admin_client: Client) -> None:
    order = placed(add_product("MUG", price="12.30"), quantity=2)
    failed = message(order, status=Status.FAILED, error="550 no such mailbox")
    job = MediaJob.objects.get(order_id=order.pk)
    Rendition.objects.create(
        job=job, name="pass", format="png", width=1080, height=1350, size=1, file="a/pass.png"
    )

    page = admin_client.get(f"{LIST}{order.pk}/change/").content.decode()

    assert "Thing MUG" in page
    assert "€24.60" in page
    assert "Placed" in page
    assert "550 no such mailbox" in page
    assert reverse("admin:notifications_notification_change", args=[failed.pk]) in page
    assert reverse("admin:notifications_notification_decide", args=[failed.pk, "retry"]) in page
    assert "/media/a/pass.png" in page
    assert order.get_absolute_url() in page


def test_what_a_customer_wrote_is_text(admin_client: Client) -> None:
    order = placed(add_product("MUG"), name="<script>alert(1)</script>")

    page = admin_client.get(f"{LIST}{order.pk}/change/").content.decode()

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_page_takes_few_queries_however_many_jobs_there_are(admin_client: Client) -> None:
    order = placed(add_product("MUG"))
    message(order, status=Status.FAILED)
    counts = []
    for more in (0, 0, 20):  # the first one fills the cache of content types
        for _number in range(more):
            message(order, status=Status.FAILED)
        with CaptureQueriesContext(connection) as queries:
            admin_client.get(f"{LIST}{order.pk}/change/")
        counts.append(len(queries))

    assert counts[1] == counts[2] <= 15


def test_the_list_says_which_orders_need_attention(admin_client: Client) -> None:
    fine, troubled = placed(add_product("A")), placed(add_product("B"))
    Notification.objects.filter(order_id=troubled.pk).update(status=Status.UNKNOWN)
    Notification.objects.filter(order_id=fine.pk).update(status=Status.DONE)
    MediaJob.objects.update(status=Status.DONE)

    everything = admin_client.get(LIST)
    trouble = admin_client.get(LIST, {"jobs": "trouble"})
    going_on = admin_client.get(LIST, {"jobs": "open"})

    assert numbers(everything) == [troubled.display_number, fine.display_number]
    assert "need attention" in everything.content.decode()
    assert numbers(trouble) == [troubled.display_number]
    assert numbers(going_on) == []


@pytest.mark.parametrize(
    "search", ["{number}", "t{digits}", "{digits}", "#{number}", "No. {number}", "{id}", "Lovelace"]
)
def test_an_order_is_found_by_what_the_customer_says(search: str, admin_client: Client) -> None:
    product = add_product("MUG")
    placed(product, name="Bob")
    order = placed(product)
    placed(product, name="Eve")

    answer = admin_client.get(
        LIST,
        {"q": search.format(number=order.display_number, digits=order.number, id=order.pk)},
    )

    assert numbers(answer) == [order.display_number]


def test_an_order_can_not_be_written_or_deleted_by_hand(admin_client: Client) -> None:
    order = placed(add_product("MUG"))

    changed = admin_client.post(f"{LIST}{order.pk}/change/", {"name": "Eve"})
    deleted = admin_client.post(f"{LIST}{order.pk}/delete/", {"post": "yes"})
    # Django's own form to add an order would take these; the desk's page only places orders.
    admin_client.post(f"{LIST}add/", {"name": "Eve", "number": "7", "_save": "Save"})

    assert {changed.status_code, deleted.status_code} == {403}
    assert Order.objects.get().name == "Ada Lovelace"


def test_an_order_that_is_not_there_leads_back(admin_client: Client) -> None:
    answer = admin_client.get(f"{LIST}9ae38820-594a-496e-9dd6-c909ecb67c76/change/")

    assert answer.status_code == 302


def test_an_order_shows_a_thumbnail_of_what_is_printed_by_a_signed_address(
    admin_client: Client,
) -> None:
    order = placed(add_product("MUG"))
    job = MediaJob.objects.create(order_id=order.pk, kind="print", recipe="print_picture")
    for name in ("print", "preview", "thumbnail"):
        Rendition.objects.create(
            job=job,
            name=name,
            format="webp",
            width=9,
            height=9,
            size=9,
            file=f"private/renditions/ab/{name}.webp",
        )

    page = admin_client.get(f"{LIST}{order.pk}/change/").content.decode()

    (shown,) = re.findall(r'<img class="desk-thumbnail" src="([^"]+)"', page)
    assert shown.startswith("/media/private/renditions/ab/thumbnail.webp?expires=")


def test_an_order_leads_to_what_its_shopper_handed_in(
    admin_client: Client, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    order, upload = placed(add_product("MUG", personalisation="picture")), uploaded_file()
    Upload.objects.filter(pk=upload.pk).update(line=order.lines.get(), quantity=1)

    page = admin_client.get(f"{LIST}{order.pk}/change/").content.decode()

    address = re.search(r'href="(/media/private/[^"]+)"', page)
    assert address
    original = admin_client.get(unescape(address[1]))
    original.close()
    assert original["Content-Disposition"].startswith("attachment")


def bounced(order: Order, delivery: str = "bounced") -> Notification:
    job = message(order, status=Status.DONE, recipient="ADA@example.org")
    Notification.objects.filter(pk=job.pk).update(
        delivery=delivery, delivery_at=Now(), delivery_reason="550 no such mailbox"
    )
    return job


@pytest.mark.parametrize(
    ("delivery", "says"),
    [("bounced", "this address bounced"), ("complained", "this address complained")],
)
def test_an_address_that_bounced_is_flagged_on_all_the_customers_orders(
    delivery: str, says: str, admin_client: Client
) -> None:
    first, other = placed(add_product("MUG")), placed(add_product("CUP"))
    job = bounced(first, delivery)

    for order in (first, other):
        page = admin_client.get(f"{LIST}{order.pk}/change/").content.decode()
        assert says in page
        assert "550 no such mailbox" in page
        assert reverse("admin:notifications_notification_change", args=[job.pk]) in page


def test_orders_are_found_by_an_address_that_bounced(admin_client: Client) -> None:
    flagged, well = placed(add_product("MUG")), placed(add_product("CUP"))
    Order.objects.filter(pk=well.pk).update(email="bob@example.org")
    bounced(flagged)

    answer = admin_client.get(LIST, {"address": "troubled"})

    assert numbers(answer) == [flagged.display_number]
    well.refresh_from_db()
    assert "this address" not in admin_client.get(f"{LIST}{well.pk}/change/").content.decode()


def payment_of(order: Order, client: Client) -> str:
    page = unescape(client.get(f"{LIST}{order.pk}/change/").content.decode())
    [found] = re.findall(r"<dt>Payment</dt>\s*<dd>\s*(.*?)\s*</dd>", page, re.DOTALL)
    return str(found)


@pytest.mark.django_db(transaction=True, databases=["default", "writer"])
@pytest.mark.usefixtures("writers")
def test_what_is_paid_and_given_back_is_said_after_each_refund(admin_client: Client) -> None:
    add_product("MUG", price="9.90")
    order = order_states.paid(("MUG", 2))
    before = payment_of(order, admin_client)
    order_states.refund_order(order.pk, {"MUG": 1})
    partly = payment_of(order, admin_client)
    order_states.refund_order(order.pk)
    fully = payment_of(order, admin_client)
    called_off = order_states.paid(("MUG", 1))
    cancel(order_id=called_off.pk, reason="broken")

    assert before == "€19.80 paid"
    assert partly == "€19.80 paid, refunds of €9.90"
    assert fully == "€19.80 paid, refunds of €19.80"
    assert payment_of(called_off, admin_client) == "€9.90 paid, refunds of €9.90"


@pytest.mark.parametrize(
    ("code", "name"), [("XK", "Kosovo"), ("TR", "Türkiye"), ("ZZ", "ZZ"), ("", "")]
)
def test_an_address_has_its_country_by_name(code: str, name: str, admin_client: Client) -> None:
    order = placed(add_product("MUG"))
    Order.objects.update(address={"line1": "Rruga 1", "city": "Prishtina", "country": code})

    page = admin_client.get(f"{LIST}{order.pk}/change/").content.decode()

    lines = re.findall(r"<bdi>(.*?)</bdi>", page.partition("<dt>Goes to</dt>")[2])
    assert [line.strip() for line in lines[: 2 + bool(name)]] == [
        "Rruga 1", "Prishtina", *filter(None, [name]),
    ]  # fmt: skip
