"""The next steps of an order, as buttons on its page."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from html import unescape
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connections
from django.test import Client
from django.urls import reverse

from orders.lifecycle import steps
from orders.lifecycle.payments import undo_payment
from orders.lifecycle.payouts import pay_out
from orders.models import Order, Payment, Refund, User
from tests.factories import add_product
from tests.order_states import (
    cancelled,
    packed,
    paid,
    placed,
    refund_order,
    refunded,
    shipped,
)
from tests.orders.shop.pages import text_of
from tests.pages import OpenedPage, link_of, open_page, read_page

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]

ADDRESS = {"line1": "Mill Lane 1", "city": "York", "postcode": "YO1 7AA", "country": "GB"}


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss"))
    return client


def page_of(desk: Client, order: Order) -> Any:
    return desk.get(reverse("admin:orders_order_change", args=[order.pk]))


def buttons(desk: Client, order: Order) -> list[str]:
    return [str(step.label) for step, _url in page_of(desk, order).context["steps"]]


def take(desk: Client, order: Order, step: str, **fields: Any) -> Any:
    """Press the step's button; with fields, fill in the form that it opens and send it."""
    url = reverse("admin:orders_order_step", args=[order.pk, step])
    page = open_page(desk, url) if fields else OpenedPage(desk, url)
    return page.send_and_follow(**fields)


def status(order: Order) -> str:
    return Order.objects.get(pk=order.pk).status


def test_an_orders_page_offers_its_next_steps(desk: Client) -> None:
    add_product("TEA")

    assert buttons(desk, placed()) == ["Take a payment", "Cancel the order"]
    assert buttons(desk, paid()) == ["Mark as packed", "Refund", "Cancel the order"]
    assert buttons(desk, packed(address=ADDRESS)) == ["Ship", "Refund", "Cancel the order"]
    assert buttons(desk, shipped(address=ADDRESS)) == [
        "Mark as delivered", "Correct the parcel", "Refund",
    ]  # fmt: skip
    assert buttons(desk, cancelled()) == []


@pytest.mark.parametrize("step", ["pay", "ship", "correct", "refund", "cancel"])
def test_the_button_of_a_step_with_a_form_opens_its_page(desk: Client, step: str) -> None:
    """As it is rendered, not by its URL: posted by the button, the form would open as failed."""
    add_product("TEA")
    orders = {
        "pay": placed,
        "ship": lambda: packed(address=ADDRESS),
        "correct": lambda: shipped(address=ADDRESS),
        "refund": paid,
        "cancel": paid,
    }
    order = orders[step]()
    url = reverse("admin:orders_order_step", args=[order.pk, step])
    page = page_of(desk, order).content.decode()

    assert f'href="{url}"' in page
    assert f'action="{url}"' not in page
    opened = desk.get(url)
    assert opened.status_code == 200
    assert "This field is required" not in text_of(opened)


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("pay", "it takes no payment"),
        ("ship", "it can't be shipped"),
        ("correct", "its parcel can't be corrected"),
        ("refund", "it can't be refunded"),
        ("cancel", "it can't be cancelled"),
        ("contact", "its contact can't be corrected any more"),
    ],
)
def test_the_page_of_a_step_that_is_over_says_so_instead_of_offering_it(
    desk: Client, step: str, says: str
) -> None:
    """Back leads there, and so does a tab that was left open."""
    add_product("TEA")
    order = refunded(("TEA", 1))

    answer = desk.get(reverse("admin:orders_order_step", args=[order.pk, step]), follow=True)

    assert answer.redirect_chain[-1][0].endswith(f"/{order.pk}/change/")
    assert f"is refunded: {says}" in unescape(text_of(answer))


def test_what_a_refund_would_do_with_more_units_than_are_left_is_nothing(desk: Client) -> None:
    add_product("TEA")
    order = paid(("TEA", 3))
    line = order.lines.get()
    refund_order(order.pk, {"TEA": 2})
    url = reverse("admin:orders_order_step", args=[order.pk, "refund"])

    foreseen = text_of(desk.post(f"{url}?foresee", {f"line-{line.pk}": "2"}))

    assert "is owed" not in foreseen
    assert "only 1 unit" in foreseen.lower()


def test_a_payment_is_offered_for_what_is_due_after_packing(desk: Client) -> None:
    add_product("TEA")
    order = packed(address={})
    undo_payment(payment_id=order.payments.get().pk, reason="mistyped")

    answer = desk.get(reverse("admin:orders_order_step", args=[order.pk, "pay"]))

    assert answer.status_code == 200


def test_the_pages_of_money_that_is_settled_say_so(desk: Client) -> None:
    add_product("TEA")
    order = refunded(("TEA", 1))
    refund = order.refunds.get()
    pay_out(refund_id=refund.pk, reference="TX-1")
    payment = undone_payment()

    paid_out = desk.get(
        reverse("admin:orders_order_payout", args=[order.pk, refund.pk]), follow=True
    )
    undone = desk.get(
        reverse("admin:orders_order_undo", args=[payment.order_id, payment.pk]), follow=True
    )

    assert "was paid out already, as TX-1." in text_of(paid_out)
    assert "The payment was undone already." in text_of(undone)


def undone_payment() -> Payment:
    payment = paid().payments.get()
    undo_payment(payment_id=payment.pk, reason="mistyped")
    return payment


def test_an_order_that_is_picked_up_is_handed_over(desk: Client) -> None:
    add_product("TEA")
    order = packed(address={})
    assert buttons(desk, order) == ["Hand over", "Refund", "Cancel the order"]

    take(desk, order, "deliver")

    assert status(order) == "delivered"


def test_a_step_without_a_form_is_taken_by_its_button(desk: Client) -> None:
    add_product("TEA")
    order = paid()

    answer = take(desk, order, "pack")

    assert status(order) == "packed"
    assert answer.redirect_chain[-1][0] == reverse("admin:orders_order_change", args=[order.pk])


def test_a_look_at_such_a_step_changes_nothing(desk: Client) -> None:
    add_product("TEA")
    order = paid()

    desk.get(reverse("admin:orders_order_step", args=[order.pk, "pack"]))

    assert status(order) == "paid"


def test_a_refused_step_says_why_on_the_orders_page(desk: Client) -> None:
    add_product("TEA")
    order = placed()

    page = text_of(take(desk, order, "pack"))

    assert f"Order {order} is placed: it can&#x27;t be packed." in page


def test_a_payment_is_taken_on_a_page_that_knows_what_is_due(desk: Client) -> None:
    add_product("TEA", price="5.00")
    order = placed(("TEA", 2))
    form = desk.get(reverse("admin:orders_order_step", args=[order.pk, "pay"]))
    assert 'value="10.00"' in form.content.decode()

    take(desk, order, "pay", method="cash", reference="B-7", amount="10.00")

    assert status(order) == "paid"


def test_a_refused_form_keeps_what_was_typed(desk: Client) -> None:
    add_product("TEA", price="5.00")
    order = placed(("TEA", 2))

    page = take(desk, order, "pay", method="cash", reference="B-7", amount="11")

    assert "has €10.00 left to pay" in text_of(page)
    assert 'value="B-7"' in page.content.decode()


def test_some_units_of_a_line_are_refunded(desk: Client) -> None:
    add_product("TEA", price="5.00")
    order = paid(("TEA", 3))
    form = desk.get(reverse("admin:orders_order_step", args=[order.pk, "refund"]))
    refund_id = form.content.decode().partition('name="refund_id" value="')[2].partition('"')[0]
    line = f"line-{order.lines.get().pk}"

    take(desk, order, "refund", refund_id=refund_id, reason="chipped", **{line: "2"})
    take(desk, order, "refund", refund_id=refund_id, reason="chipped", **{line: "2"})

    assert str(Refund.objects.get().amount) == "10.00"


def test_a_refund_of_one_line_opens_with_the_units_of_that_line(desk: Client) -> None:
    add_product("TEA")
    add_product("MUG", price="5.00")
    order = paid(("TEA", 3), ("MUG", 2))
    assert not link_of(page_of(desk, paid(("TEA", 3))).content.decode(), "Refund this line")
    links = re.findall(r'href="([^"]+refund/\?line=\d+)"', page_of(desk, order).content.decode())

    open_page(desk, links[order.lines.count() - 1]).send()

    assert list(order.lines.order_by("pk").values_list("sku", "refunded")) == [
        ("TEA", 0), ("MUG", 2),
    ]  # fmt: skip


def test_a_parcel_is_corrected_from_what_is_known(desk: Client) -> None:
    add_product("TEA")
    order = shipped(address=ADDRESS)
    form = desk.get(reverse("admin:orders_order_step", args=[order.pk, "correct"]))
    assert 'value="JD01"' in form.content.decode()

    take(desk, order, "correct", carrier="DHL", tracking_number="JD02")

    assert "JD02" in text_of(page_of(desk, order))


def test_what_is_no_step_is_not_found(desk: Client) -> None:
    add_product("TEA")

    assert take(desk, placed(), "dance").status_code == 404


def test_who_may_only_look_gets_no_buttons_and_is_refused(client: Client) -> None:
    add_product("TEA")
    order = paid()
    looker = User.objects.create_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_order"))
    client.force_login(looker)

    assert buttons(client, order) == []
    assert take(client, order, "pack").status_code == 403
    assert status(order) == "paid"


def test_the_page_says_when_an_unpaid_order_ends_and_flags_one_paid_in_part(
    desk: Client, settings: Any
) -> None:
    from tests.order_states import aged, pay_part

    settings.PAYMENT_DUE_HOURS = 48
    add_product("TEA")
    unpaid, part = placed(), placed()
    pay_part(part)
    aged(part)

    words = text_of(page_of(desk, unpaid))
    assert re.search(r"unpaid, it is cancelled at [-\d]+ [:\d]+ \(UTC\)", words)
    assert "overdue, paid in part" in text_of(page_of(desk, part))
    listed = desk.get(reverse("admin:orders_order_changelist"), {"payment": "part"})
    assert [order.pk for order in listed.context["cl"].queryset] == [part.pk]


# ── What is confirmed is what was shown ─────────────────────────────────────────────────────────
@pytest.fixture
def colleague(db: None) -> Client:
    """A second operator, “grace”, at a desk of her own."""
    client = Client()
    client.force_login(User.objects.create_superuser("grace", "grace@example.org", "secret"))
    return client


def open_step(desk: Client, order: Order, step: str) -> OpenedPage:
    return open_page(desk, reverse("admin:orders_order_step", args=[order.pk, step]))


def test_two_who_refund_the_same_broken_unit_refund_it_once(
    desk: Client, colleague: Client
) -> None:
    add_product("TEA", price="5.00")
    order = paid(("TEA", 3))
    line = f"line-{order.lines.get().pk}"
    pages = [open_step(client, order, "refund") for client in (desk, colleague)]
    pages[1].send(**{line: "1"}, reason="chipped")

    refused = pages[0].send(**{line: "1"}, reason="broken")

    text = text_of(refused)
    assert f"Order {order} was changed by grace meanwhile: " in text
    assert "€5.00: 1 × " in text
    assert "2 of 3 left" in text
    assert 'value="broken"' in refused.content.decode()
    assert Refund.objects.count() == 1
    read_page(desk, pages[0].url, refused.content.decode()).send()
    assert Refund.objects.count() == 2  # now it is a decision


def test_two_who_enter_the_same_transfer_in_other_words_take_it_once(
    desk: Client, colleague: Client
) -> None:
    add_product("TEA", price="5.00")
    order = placed(("TEA", 2))
    pages = [open_step(client, order, "pay") for client in (desk, colleague)]
    pages[1].send(reference="B 7", amount="4.00")

    text = text_of(pages[0].send(reference="B-7", amount="4.00"))

    assert "was changed by grace meanwhile: " in text
    assert [payment.reference for payment in order.payments.all()] == ["B 7"]


def test_an_order_that_was_paid_meanwhile_is_not_cancelled_unseen(
    desk: Client, colleague: Client
) -> None:
    add_product("TEA", price="5.00")
    order = placed(("TEA", 2))
    page = open_step(desk, order, "cancel")
    open_step(colleague, order, "pay").send(reference="B-7")

    text = text_of(page.send(reason="not paid"))

    assert "was changed by grace meanwhile: " in text
    assert status(order) == "paid"


def test_the_second_correction_of_a_parcel_is_refused_by_name(
    desk: Client, colleague: Client
) -> None:
    add_product("TEA")
    order = shipped(address=ADDRESS)
    pages = [open_step(client, order, "correct") for client in (desk, colleague)]
    pages[1].send(tracking_number="JD02")

    text = text_of(pages[0].send(tracking_number="JD03"))

    assert "was changed by grace meanwhile: " in text
    assert "DHL · JD02" in text
    assert "JD03" not in text_of(page_of(desk, order))


def test_a_page_that_does_not_say_what_it_showed_decides_nothing(desk: Client) -> None:
    add_product("TEA")
    order = paid()
    page = open_step(desk, order, "cancel")

    text = text_of(page.send(reason="broken", **{f"seen-{order.pk}": None}))

    assert "isn&#x27;t as your page showed it: " in text
    assert status(order) == "paid"


@pytest.mark.parametrize("step", ["pay", "correct", "refund", "cancel"])
def test_a_double_click_is_no_conflict(desk: Client, step: str) -> None:
    add_product("TEA")
    order = {"pay": placed, "correct": shipped, "refund": paid, "cancel": paid}[step]()
    page = open_step(desk, order, step)
    said = {"reference": "B-7", "tracking_number": "JD02", "reason": "broken"}

    answers = [page.send(**said) for _click in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]


@pytest.mark.parametrize(
    ("is_locked", "refunds"),
    [
        pytest.param(True, 1, id="locked"),
        pytest.param(False, 2, id="control: without the lock both refund it"),
    ],
)
def test_of_two_refunds_at_the_same_moment_one_is_refused(
    desk: Client,
    colleague: Client,
    monkeypatch: pytest.MonkeyPatch,
    is_locked: bool,
    refunds: int,
) -> None:
    add_product("TEA", price="5.00")
    order = paid(("TEA", 3))
    line = f"line-{order.lines.get().pk}"
    pages = [open_step(client, order, "refund") for client in (desk, colleague)]
    both_have_compared = Barrier(2)
    require_seen = steps.require_seen

    def wait_for_the_other(order: Order, *, seen: Any) -> None:
        require_seen(order, seen=seen)
        with suppress(BrokenBarrierError):
            both_have_compared.wait(timeout=1)

    def send(page: OpenedPage) -> None:
        try:
            page.send(**{line: "1"}, restock=None)  # or the stock's lock would do
        finally:
            connections.close_all()

    monkeypatch.setattr("orders.lifecycle.refunds.require_seen", wait_for_the_other)
    if not is_locked:
        monkeypatch.setattr("orders.lifecycle.refunds.lock", steps.read)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(send, pages))

    assert Refund.objects.count() == refunds
