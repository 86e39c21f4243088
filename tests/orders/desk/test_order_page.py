"""One order's page at the desk: what is owed, what is next, and everything that happened."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from notifications.models import Notification
from orders.desk.other_orders import read_other_orders
from orders.lifecycle.corrections import correct_contact
from orders.lifecycle.notes import add_note
from orders.lifecycle.payouts import pay_out
from orders.lifecycle.transitions import cancel
from orders.models import Order, OrderNote, Payment, Refund, User
from project.jobs.queryset import Status
from tests.factories import add_product
from tests.order_states import packed, paid, pay_part, placed, refund_order, shipped
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


@pytest.fixture
def colleague(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("grace"))
    return client


@pytest.fixture(autouse=True)
def tea() -> None:
    add_product("TEA", price="5.00")


def page_of(desk: Client, order: Order) -> Any:
    return desk.get(reverse("admin:orders_order_change", args=[order.pk]))


def link_on(page: Any, label: str) -> str:
    """Return where the page's link with this text leads; empty if there is none."""
    return link_of(page.content.decode(), label)


def open_from(desk: Client, order: Order, label: str) -> OpenedPage:
    """Open a step by its link on the order's page, as a browser does: by GET."""
    url = link_on(page_of(desk, order), label)
    answer = desk.get(url)
    assert answer.status_code == 200
    assert "This field is required" not in text_of(answer)
    return open_page(desk, url)


def told(desk: Client, order: Order, label: str) -> str:
    """Return what the step's page says that it will do."""
    answer = desk.get(link_on(page_of(desk, order), label))
    return " ".join(answer.context["effects"])


# ── At one look ─────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("state", "label"),
    [
        (placed, "Take a payment"),
        (paid, "Mark as packed"),
        (lambda: packed(address={}), "Hand over"),
        (lambda: packed(address=ADDRESS), "Ship"),
        (lambda: shipped(address=ADDRESS), "Mark as delivered"),
        (lambda: cancel(order_id=paid().pk, reason="broken"), "Enter the pay-out"),
    ],
)
def test_one_step_is_emphasised(desk: Client, state: Callable[[], Order], label: str) -> None:
    page = page_of(desk, state())

    assert str(page.context["next_step"].step.label) == label
    steps = page.content.decode().partition('class="desk-next"')[2].partition("<dl")[0]
    assert len(re.findall(r"(?<![:\w-])bg-primary-600(?!/)", steps)) == 1


def test_an_order_that_has_ended_and_owes_nothing_has_no_next_step(desk: Client) -> None:
    order = cancel(order_id=placed().pk, reason="broken")

    assert page_of(desk, order).context["next_step"] is None


def test_a_step_that_is_taken_by_its_button_says_before_what_it_does(desk: Client) -> None:
    text = text_of(page_of(desk, paid()))

    assert "The customer can&#x27;t cancel it any more. The customer gets no message." in text


def test_what_is_owed_is_above_all(desk: Client) -> None:
    unpaid, owed = placed(), paid()
    refund_order(owed.pk, {"TEA": 1})

    assert "€10.00 left to pay" in text_of(page_of(desk, unpaid))
    assert "€5.00 owed to the customer" in text_of(page_of(desk, owed))


def test_lines_say_what_was_refunded_returned_and_is_left(desk: Client) -> None:
    order = paid(("TEA", 3))
    refund_order(order.pk, {"TEA": 1}, restock=False)
    refund_order(order.pk, {"TEA": 1})

    [row] = page_of(desk, order).context["order_lines"].rows

    assert (row.refunded, row.returned, row.left) == (2, 1, 1)


def test_a_cancelled_orders_units_are_back_and_none_is_left(desk: Client) -> None:
    order = cancel(order_id=placed(("TEA", 3)).pk, reason="broken")

    [row] = page_of(desk, order).context["order_lines"].rows

    assert (row.refunded, row.returned, row.left) == (0, 3, 0)


def test_the_carrier_and_number_are_told(desk: Client) -> None:
    page = page_of(desk, shipped(address=ADDRESS))

    assert "JD01" in page.context["parcel"]


# ── Money ───────────────────────────────────────────────────────────────────────────────────────
def test_a_mistyped_payment_is_undone_from_its_row_with_a_reason(desk: Client) -> None:
    order = paid()
    assert "€10.00 is left to pay." in told(desk, order, "Undo")
    assert "The order is unpaid again" in told(desk, order, "Undo")

    open_from(desk, order, "Undo").send(reason="another order's")

    page = page_of(desk, order)
    assert Order.objects.get().status == Order.Status.PLACED
    assert [row.amount for row in page.context_data["payment"].rows] == ["€10.00", "−€10.00"]
    assert "another order&#x27;s" in text_of(page)
    assert not link_on(page, "Undo")


def test_a_payment_by_a_provider_has_no_undo(desk: Client) -> None:
    order = placed()
    Payment.objects.create(order=order, method="online", provider="x", reference="1", amount=1)

    assert not link_on(page_of(desk, order), "Undo")


def test_a_refund_is_paid_out_from_its_row_with_a_reference(desk: Client) -> None:
    order = paid()
    refund_order(order.pk, {"TEA": 1})
    assert "€5.00 counts as sent" in told(desk, order, "Enter the pay-out")

    open_from(desk, order, "Enter the pay-out").send(reference="SEPA 1")

    assert Refund.objects.get().status == Refund.Status.PAID_OUT
    assert "SEPA 1" in text_of(page_of(desk, order))


def test_a_row_of_another_order_is_not_found(desk: Client) -> None:
    order, other = paid(), placed()
    payment = Payment.objects.get()

    url = reverse("admin:orders_order_undo", args=[other.pk, payment.pk])

    assert desk.post(url, {"reason": "x"}).status_code == 404
    assert Payment.objects.count() == 1
    assert order.pk != other.pk


# ── The worklist of refunds ─────────────────────────────────────────────────────────────────────
def test_the_worklist_has_the_oldest_owed_refund_first_and_nothing_else(desk: Client) -> None:
    orders = [paid(), paid(), paid()]
    for order in orders:
        cancel(order_id=order.pk, reason="broken")
    pay_out(refund_id=orders[1].refunds.get().pk, reference="SEPA 1")

    listed = desk.get(reverse("admin:orders_refund_changelist"))
    settled = desk.get(reverse("admin:orders_refund_changelist"), {"status": "paid_out"})

    owed = [refund.order_id for refund in listed.context["cl"].result_list]
    assert owed == [orders[0].pk, orders[2].pk]
    assert [row.order_id for row in settled.context["cl"].result_list] == [orders[1].pk]


def test_a_pay_out_from_the_worklist_leads_back_to_it(desk: Client) -> None:
    cancel(order_id=paid().pk, reason="broken")
    url = reverse("admin:orders_refund_changelist")
    step = link_on(desk.get(url), "Enter the pay-out")

    answer = open_page(desk, step).send(reference="SEPA 1")

    assert answer.headers["Location"] == url
    assert Refund.objects.get().status == Refund.Status.PAID_OUT


def test_the_worklist_reads_the_index_of_what_is_owed() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        owed = Refund.objects.filter(status="owed").order_by("created_at", "id")[:50]
        settled = Refund.objects.filter(status="paid_out").order_by("-created_at", "-id")[:50]
        plans = [owed.explain(), settled.explain()]

    assert "refund_owed" in plans[0]
    assert "refund_by_status" in plans[1]


# ── Steps ───────────────────────────────────────────────────────────────────────────────────────
def test_a_payment_opens_with_the_method_used_last_and_the_rest(desk: Client) -> None:
    open_from(desk, placed(), "Take a payment").send(method="cash", reference="B-1")
    order = pay_part(placed())

    page = open_from(desk, order, "Take a payment")

    assert (page.values["method"], page.values["amount"]) == (["cash"], ["9.00"])


def test_a_parcel_opens_with_the_carrier_used_last(desk: Client) -> None:
    shipped(address=ADDRESS)

    page = open_from(desk, packed(address=ADDRESS), "Ship")

    assert page.values["carrier"] == ["DHL"]


def test_a_parcel_opens_with_the_carrier_that_the_shopper_chose(desk: Client) -> None:
    shipped(address=ADDRESS)
    order = packed(address=ADDRESS)
    order.delivery = {"carrier": "swift", "service": "x", "label": "Swift Express", "days": 1}
    order.save(update_fields=["delivery"])

    page = open_from(desk, order, "Ship")

    assert page.values["carrier"] == ["Swift Express"]
    assert "Swift Express" in desk.get(f"/admin/orders/order/{order.pk}/change/").content.decode()


@pytest.mark.parametrize(("state", "restock"), [(packed, True), (shipped, False)])
def test_a_refund_opens_with_the_goods_where_they_are(
    desk: Client, state: Callable[[], Order], restock: bool
) -> None:
    page = open_from(desk, state(), "Refund")

    assert ("restock" in page.values) is restock


@pytest.mark.parametrize(
    ("state", "label", "says"),
    [
        (placed, "Take a payment", "The order is paid. The customer gets an e-mail."),
        (paid, "Refund", "2 units return to the stock. €10.00 is owed to the customer."),
        (
            paid,
            "Cancel the order",
            "2 units return to the stock. €10.00 is owed to the customer."
            " The customer gets an e-mail and an SMS.",
        ),
        (placed, "Cancel the order", "No money is owed to the customer."),
        (lambda **who: packed(address=ADDRESS, **who), "Ship", "an e-mail and an SMS."),
        (
            lambda **who: shipped(address=ADDRESS, **who),
            "Correct the parcel",
            "The customer gets an e-mail and an SMS.",
        ),
        (placed, "Correct the contact", "Messages that weren't tried yet go to the new address."),
    ],
)
def test_each_step_says_before_it_is_done_what_will_happen(
    desk: Client, settings: Any, state: Callable[..., Order], label: str, says: str
) -> None:
    settings.SMS_URL = "http://localhost:9/"

    assert says in told(desk, state(phone="+442079460123"), label)


def test_what_will_happen_follows_what_is_entered_and_takes_no_step(desk: Client) -> None:
    order = paid(("TEA", 3))
    page = open_from(desk, order, "Refund")
    line = f"line-{order.lines.get().pk}"
    foresee = OpenedPage(desk, f"{page.url}?foresee", page.values)

    says = text_of(foresee.send(restock=None, **{line: "2"}))
    says_nothing = text_of(foresee.send(**{line: "0"}))

    assert "No unit returns to the stock. €10.00 is owed to the customer." in says
    assert "Choose at least one unit" in says_nothing
    assert not Refund.objects.exists()


def test_a_hidden_field_that_came_damaged_is_told_and_renewed(desk: Client) -> None:
    order = paid()
    page = open_from(desk, order, "Refund")

    refused = page.send(refund_id="x")

    assert "A part of this page that you don&#x27;t see (refund_id) came damaged" in text_of(
        refused
    )
    html = refused.content.decode()
    renewed = re.search(r'name="refund_id" value="([^"]+)"', html)
    assert renewed is not None
    page.send(refund_id=renewed[1])
    assert Refund.objects.count() == 1


# ── The contact ─────────────────────────────────────────────────────────────────────────────────
def test_an_address_is_corrected_and_its_messages_are_sent_again(desk: Client) -> None:
    order = paid(address=ADDRESS)
    Notification.objects.update(status=Status.DONE, attempts=1)

    choice = open_from(desk, order, "Correct the contact").send_and_follow(
        email="king@example.org", line1="Mill Lane 2"
    )

    assert "Order placed · E-mail to" in text_of(choice)
    page = open_page(desk, choice.redirect_chain[-1][0])
    page.send()
    shown = text_of(page_of(desk, order))
    assert "Contact corrected" in shown
    assert "ada@example.org" in shown
    assert "Mill Lane 2" in shown
    [copy] = Notification.objects.filter(recipient="king@example.org")
    assert copy.event == "order_paid"  # the last one is proposed


def test_a_correction_of_the_name_alone_asks_nothing_more(desk: Client) -> None:
    order = paid()
    Notification.objects.update(status=Status.DONE, attempts=1)

    answer = open_from(desk, order, "Correct the contact").send(name="Ada King")

    assert answer.headers["Location"] == reverse("admin:orders_order_change", args=[order.pk])


def test_corrections_of_two_fields_by_two_are_both_kept(desk: Client, colleague: Client) -> None:
    order = placed(address=ADDRESS)
    pages = [open_from(each, order, "Correct the contact") for each in (desk, colleague)]
    pages[1].send(email="king@example.org")

    pages[0].send(line1="Mill Lane 2")

    order.refresh_from_db()
    assert (order.email, order.address["line1"]) == ("king@example.org", "Mill Lane 2")


def test_corrections_of_one_field_by_two_are_told_by_name(desk: Client, colleague: Client) -> None:
    order = placed()
    pages = [open_from(each, order, "Correct the contact") for each in (desk, colleague)]
    pages[1].send(name="Ada King")

    refused = pages[0].send(name="Ada L.")

    assert "“Name” was changed to “Ada King” by grace meanwhile." in text_of(refused)
    assert Order.objects.get().name == "Ada King"


def test_an_old_address_that_no_rule_knows_does_not_stop_another_correction(desk: Client) -> None:
    order = placed()
    odd = r"m\u0131ke@none.invalid"
    Order.objects.update(email=odd, phone="+123")

    open_from(desk, order, "Correct the contact").send(name="Ada King")

    order.refresh_from_db()
    assert (order.name, order.email, order.phone) == ("Ada King", odd, "+123")


def test_a_correction_has_the_fields_of_the_country_that_is_chosen(desk: Client) -> None:
    order = placed(address=ADDRESS)
    page = open_from(desk, order, "Correct the contact")

    shown = page.send(country="US", do="look")
    assert "ZIP code" in text_of(shown)
    assert "This field is required." not in text_of(shown)
    page = read_page(desk, page.url, shown.content.decode())
    refused = page.send()
    assert "This doesn’t fit the country (United States)" in text_of(refused)
    assert "This field is required." in text_of(refused)  # the state
    page = read_page(desk, page.url, refused.content.decode())
    page.send(region="IL", postcode="62701")

    order.refresh_from_db()
    moved = {"country": "US", "region": "IL", "postcode": "62701"}
    assert order.address == ADDRESS | moved
    assert "Mill Lane 1 York, IL 62701 United States" in text_of(page_of(desk, order))


OLD_ADDRESSES = [
    {"line1": "Mill Lane 1", "city": "York", "country": "GB"},
    {"line1": "Mill Lane 1", "city": "York", "postcode": "n/a", "country": "GB"},
    {"line1": "1 Main St", "city": "Oz", "region": "Kalifornia", "country": "US"},
    {"line1": "Am Markt 1", "city": "Kiel", "region": "Holstein", "country": "DE"},
    {"line1": "Am Markt 1", "city": "Kiel", "country": "XX"},
]


@pytest.mark.parametrize("old", OLD_ADDRESSES)
def test_what_stays_of_an_old_address_is_not_checked(desk: Client, old: dict[str, str]) -> None:
    order = placed(address=ADDRESS)
    Order.objects.update(address=old)

    open_from(desk, order, "Correct the contact").send(line2="At the back")

    order.refresh_from_db()
    assert order.address == old | {"line2": "At the back"}


def test_a_part_that_the_country_does_not_have_is_shown_and_can_be_removed(desk: Client) -> None:
    order = placed(address=ADDRESS)
    Order.objects.update(address=ADDRESS | {"region": "Yorkshire"})

    open_from(desk, order, "Correct the contact").send(region="")

    order.refresh_from_db()
    assert order.address == ADDRESS


def test_a_shipped_order_has_no_such_link_and_refuses_an_old_page(desk: Client) -> None:
    order = packed(address=ADDRESS)
    page = open_from(desk, order, "Correct the contact")
    open_from(desk, order, "Ship").send(carrier="DHL")

    refused = page.send(line1="Mill Lane 2")

    assert "its contact can&#x27;t be corrected any more" in text_of(refused)
    assert not link_on(page_of(desk, order), "Correct the contact")


def test_a_double_click_sends_the_messages_once(desk: Client) -> None:
    order = placed()
    Notification.objects.update(status=Status.DONE, attempts=1)
    correct_contact(
        order_id=order.pk, name=order.name, email="king@example.org", phone="", address={}
    )
    page = open_from(desk, order, "Send messages again")

    answers = [page.send() for _click in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert Notification.objects.filter(recipient="king@example.org").count() == 1


# ── Notes and the timeline ──────────────────────────────────────────────────────────────────────
def test_a_note_is_shown_with_its_author_and_not_to_the_customer(desk: Client) -> None:
    order = placed()
    page = open_page(desk, reverse("admin:orders_order_change", args=[order.pk]))
    note = OpenedPage(desk, reverse("admin:orders_order_note", args=[order.pk]), page.values)

    for _click in range(2):
        note.send(text="She calls back\non Monday")

    [written] = OrderNote.objects.all()
    assert written.text == "She calls back\non Monday"
    [shown] = [each for each in page_of(desk, order).context["timeline"] if each.kind == "note"]
    assert (shown.note, str(shown.user)) == (written.text, "boss")
    assert "She calls back" not in text_of(desk.get(order.get_absolute_url()))


@pytest.mark.parametrize("text", ["", " \n ", "x" * 2001])
def test_a_note_that_is_none_is_told(desk: Client, text: str) -> None:
    order = placed()
    url = reverse("admin:orders_order_note", args=[order.pk])

    answer = desk.post(url, {"text": text, "note_id": uuid4()}, follow=True)

    assert "Note: " in text_of(answer)
    assert not OrderNote.objects.exists()


def test_the_database_keeps_no_empty_note() -> None:
    order = placed()

    with pytest.raises(IntegrityError), transaction.atomic():
        OrderNote.objects.create(id=uuid4(), order=order, text="")


def test_who_may_only_look_writes_no_note_and_sees_no_step(client: Client) -> None:
    order = paid()
    looker = User.objects.create_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_order"))
    client.force_login(looker)

    page = page_of(client, order)
    note = reverse("admin:orders_order_note", args=[order.pk])
    undo = reverse("admin:orders_order_undo", args=[order.pk, Payment.objects.get().pk])

    assert "Add the note" not in text_of(page)
    assert "Undo" not in text_of(page)
    assert client.post(note, {"text": "x", "note_id": uuid4()}).status_code == 403
    assert client.get(undo).status_code == 403


def test_everything_is_in_one_timeline_by_time(desk: Client) -> None:
    clerk = User.objects.create_user("clerk")
    order = paid(("TEA", 2))
    refund_order(order.pk, {"TEA": 1}, reason="chipped", user=clerk)
    add_note(order_id=order.pk, note_id=uuid4(), text="She calls back", user=clerk)

    page = page_of(desk, order)
    timeline = page.context["timeline"]

    assert [each.when for each in timeline] == sorted(each.when for each in timeline)
    assert {each.kind for each in timeline} == {"event", "stock", "message", "media", "note"}
    refund = next(each for each in timeline if each.title == "Refunded in part")
    assert (str(refund.user), refund.reason) == ("clerk", "chipped")
    assert "Stock: −2 units" in text_of(page)
    assert "Stock: +1 unit" in text_of(page)


def test_a_message_can_be_read_before_and_after_it_is_sent(desk: Client) -> None:
    order = placed()
    before = text_of(page_of(desk, order))
    Notification.objects.update(status=Status.DONE, text="as it was sent", subject="Then")

    assert "2 × Thing TEA" in before
    assert "as it was sent" in text_of(page_of(desk, order))


# ── The customer's other orders ─────────────────────────────────────────────────────────────────
def test_other_orders_are_those_of_the_account_and_of_the_address(desk: Client) -> None:
    ada = User.objects.create_user("ada")
    mine = placed(user_id=ada.pk)
    elsewhere = placed(user_id=ada.pk, email="king@example.org")
    guest = placed(email="ADA@example.org")
    placed(email="other@example.org")

    found = read_other_orders(mine)

    assert [order.pk for order in found.orders] == [guest.pk, elsewhere.pk]
    assert "2 other orders of this customer" in text_of(page_of(desk, mine))


def test_ten_are_shown_and_all_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.desk.other_orders.SHOWN", 2)
    monkeypatch.setattr("orders.desk.other_orders.MOST_COUNTED", 3)
    orders = [placed() for _number in range(5)]

    few, many = read_other_orders(orders[0]), read_other_orders(orders[4])

    assert (len(few.orders), few.count, few.is_more) == (2, 3, True)
    assert [order.pk for order in many.orders] == [orders[3].pk, orders[2].pk]


# ── Queries ─────────────────────────────────────────────────────────────────────────────────────
def test_the_page_takes_the_same_queries_however_much_has_happened(desk: Client) -> None:
    few, many = paid(("TEA", 9)), paid(("TEA", 9))
    refund_order(few.pk, {"TEA": 1})
    for number in range(5):
        refund_order(many.pk, {"TEA": 1})
        add_note(order_id=many.pk, note_id=uuid4(), text=f"Note {number}", user=None)
        placed()

    counts = []
    for order in (few, few, many):  # the first one fills the cache of content types
        with CaptureQueriesContext(connection) as queries:
            page_of(desk, order)
        counts.append(len(queries))

    assert counts[1] == counts[2] <= 17
