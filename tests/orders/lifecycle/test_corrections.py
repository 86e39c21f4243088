"""An order's contact is corrected until it is shipped, and the correction stays readable."""

from typing import Any

import pytest
from django.db.models.functions import Now

from media_jobs.models import MediaJob
from notifications.models import Notification
from notifications.rendering import render
from orders.accounts.history import orders_of
from orders.lifecycle.corrections import correct_contact, send_again, sent_elsewhere
from orders.lifecycle.errors import ChangedMeanwhile, InvalidTransition, WrongStatus
from orders.lifecycle.transitions import deliver
from orders.models import Order, OrderEvent, User
from orders.placing.placement import KeyReused, place_order
from project.jobs.queryset import Status
from tests.factories import add_product, order_request
from tests.order_states import packed, paid, placed, shipped

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]

ADDRESS = {"line1": "Mill Lane 1", "city": "York", "postcode": "YO1 7AA", "country": "GB"}


@pytest.fixture(autouse=True)
def tea(settings: Any) -> None:
    settings.SMS_URL = "http://localhost:9/"
    add_product("TEA", price="5.00")


def correct(order: Order, **changes: Any) -> Order:
    present = {name: getattr(order, name) for name in ("name", "email", "phone", "address")}
    return correct_contact(order_id=order.pk, **present | changes)


def account(email: str) -> User:
    user = User.objects.create_user(email, email=email)
    user.emailaddress_set.create(email=email, verified=True, primary=True)
    return user


def test_each_part_gets_its_one_form_and_the_history_keeps_old_and_new() -> None:
    clerk = User.objects.create_user("clerk")
    order = placed(address=ADDRESS, phone="+442079460123")

    corrected = correct(
        order,
        email="ADA@Straße.example",
        phone="+44 20 7946 0999",
        address=ADDRESS | {"line1": " Mill  Lane 2 ", "line2": ""},
        user=clerk,
    )

    assert corrected.email == "ADA@xn--strae-oqa.example"
    assert corrected.phone == "+442079460999"
    assert corrected.address == ADDRESS | {"line1": "Mill Lane 2"}
    event = order.events.get(kind=OrderEvent.Kind.CORRECTED)
    assert event.user == clerk
    assert event.detail["old"]["email"] == "ada@example.org"
    assert event.detail["new"]["phone"] == "+442079460999"
    assert "name" not in event.detail["new"]


def test_a_repeat_changes_nothing() -> None:
    order = placed()

    for _click in range(2):
        correct(order, name="Ada King")

    assert order.events.filter(kind=OrderEvent.Kind.CORRECTED).count() == 1


def test_a_value_that_stays_is_not_checked_by_a_rule_that_is_younger() -> None:
    order = placed()
    Order.objects.filter(pk=order.pk).update(phone="+123")
    order.refresh_from_db()

    assert correct(order, name="Ada King").phone == "+123"


def test_a_part_of_an_address_that_stays_is_not_checked_either() -> None:
    order = placed(address=ADDRESS)
    old = {"line1": "Mill Lane 1", "city": "York", "country": "GB"}
    Order.objects.filter(pk=order.pk).update(address=old)
    order.refresh_from_db()

    assert correct(order, address=old | {"line1": "Mill Lane 2"}).address["line1"] == "Mill Lane 2"
    with pytest.raises(InvalidTransition):
        correct(order, address=old | {"country": "DE"})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": " "}, "Name: This field is required."),
        ({"email": "ada"}, "E-mail: Enter a valid e-mail address"),
        ({"phone": "12"}, "Phone: Enter a valid phone number"),
        ({"address": ADDRESS | {"country": "XX"}}, "Address: Enter a country by its code"),
        ({"address": ADDRESS | {"postcode": ""}}, "Address: This field is required."),
        ({"address": {}}, "A delivery can't become a pickup"),
    ],
)
def test_what_no_order_is_placed_with_is_refused(changes: dict[str, Any], says: str) -> None:
    order = placed(address=ADDRESS)

    with pytest.raises(InvalidTransition, match=says):
        correct(order, **changes)

    assert not order.events.filter(kind=OrderEvent.Kind.CORRECTED).exists()


def test_a_pickup_gets_no_address_and_is_still_handed_over() -> None:
    order = packed(address={})
    with pytest.raises(InvalidTransition, match="a pickup a delivery"):
        correct(order, address=ADDRESS)

    correct(order, name="Ada King")

    assert deliver(order_id=order.pk).status == Order.Status.DELIVERED


def test_a_shipped_order_keeps_its_contact() -> None:
    order = shipped(address=ADDRESS)

    with pytest.raises(WrongStatus, match="can't be corrected any more"):
        correct(order, name="Ada King")


def test_a_page_that_showed_another_state_is_refused() -> None:
    order = placed()
    paid_later = correct(order, name="Ada King")

    with pytest.raises(ChangedMeanwhile):
        correct(paid_later, name="Ada L", seen=order.changed_at)


def test_the_request_that_placed_the_order_still_finds_it_after_an_update(settings: Any) -> None:
    """Its fingerprint is of another version, so the request is compared with the order's rows."""
    request = order_request(("TEA", 2))
    order = place_order(request).order
    correct(order, name="Ada King", email="king@example.org")
    correct(Order.objects.get(pk=order.pk), email="ada.king@example.org")
    Order.objects.filter(pk=order.pk).update(fingerprint="0" * 64)

    assert place_order(request).order.pk == order.pk


def test_another_order_under_the_same_key_is_still_refused() -> None:
    request = order_request(("TEA", 2))
    order = place_order(request).order
    correct(order, name="Ada King")

    with pytest.raises(KeyReused):
        place_order(order_request(("TEA", 2), key=request.key, name="Ada King"))


def test_a_guest_order_belongs_to_the_corrected_address() -> None:
    wrong, right = account("ada@example.org"), account("king@example.org")
    order = placed()
    assert orders_of(wrong).exists()

    correct(order, email="king@example.org")

    assert not orders_of(wrong).exists()
    assert orders_of(right).get() == order


# ── Messages ────────────────────────────────────────────────────────────────────────────────────
def test_messages_that_were_never_tried_go_to_the_new_address() -> None:
    order = placed(phone="+442079460123")

    correct(order, email="king@example.org", phone="+442079460999")

    sent_to = Notification.objects.filter(order_id=order.pk).values_list("recipient", flat=True)
    assert set(sent_to) == {"king@example.org", "+442079460999"}


def test_a_message_that_may_have_arrived_stays_as_it_is() -> None:
    order = placed()
    Notification.objects.update(attempts=1)

    correct(order, email="king@example.org")

    assert Notification.objects.get(order_id=order.pk).recipient == "ada@example.org"


def test_without_a_phone_its_waiting_messages_are_cancelled() -> None:
    order = placed(phone="+442079460123")

    correct(order, phone="")

    sms = Notification.objects.get(order_id=order.pk, channel="sms")
    assert sms.status == Status.CANCELLED


def sent(order: Order) -> None:
    Notification.objects.filter(order_id=order.pk).update(
        status=Status.DONE, attempts=1, finished_at=Now(), text="Dear Ada Lovelace"
    )


def test_sent_messages_go_to_the_new_address_with_the_new_name_once() -> None:
    order = paid()
    sent(order)
    order = correct(order, name="Ada King", email="king@example.org")
    keys = [message.pk for message in sent_elsewhere(order)]
    assert len(keys) == 2

    copies = send_again(order_id=order.pk, message_ids=keys)
    again = send_again(order_id=order.pk, message_ids=keys)

    assert (len(copies), again) == (2, [])
    assert {copy.recipient for copy in copies} == {"king@example.org"}
    assert "Ada King" in render(copies[0]).text
    assert "Ada Lovelace" not in render(copies[0]).text
    assert sent_elsewhere(order) == []
    event = order.events.get(kind=OrderEvent.Kind.SENT_AGAIN)
    assert event.detail == {"recipients": ["king@example.org"], "count": 2}


def test_a_copy_has_no_unsubscribe_link_of_the_wrong_address() -> None:
    account("ada@example.org")
    order = packed(address={})
    deliver(order_id=order.pk)
    sent(order)
    told = Notification.objects.get(event="order_delivered")
    assert "unsubscribe_url" in told.context
    Order.objects.filter(pk=order.pk).update(email="king@example.org")

    [copy] = send_again(order_id=order.pk, message_ids=[told.pk])

    assert "unsubscribe_url" not in copy.context


# ── The pickup pass ─────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("status", ["queued", "running", "done", "failed"])
def test_the_pickup_pass_is_drawn_with_the_new_name(status: str) -> None:
    order = placed()
    drawn = MediaJob.objects.filter(order_id=order.pk, recipe="pickup_pass")
    claim = {"token": order.pk, "lease_until": Now()} if status == "running" else {}
    drawn.update(status=status, recipe_hash="x", **claim)

    correct(order, name="Ada King")

    job = drawn.get()
    assert job.context["name"] == "Ada King"
    assert (job.status, job.token) == (Status.QUEUED, None)
    if status != "running" and status != "queued":
        assert job.recipe_hash == ""
