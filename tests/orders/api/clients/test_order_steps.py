"""The steps of an order by an API client, from payment to refund; repeats and refusals."""

from typing import Any

import pytest
from django.utils import timezone

from orders.clients.scopes import CUSTOMERS_READ, ORDERS_WRITE
from orders.lifecycle import transitions
from orders.lifecycle.errors import OrderBusy
from orders.models import ApiAnswer, Order, OrderEvent, Payment, Refund, Stock
from tests.clients import Caller, api_client, key_of
from tests.factories import add_product, make_order, new_key

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])

ADDRESS = {"line1": "1 Mill Rd", "city": "Ely", "country": "GB"}


@pytest.fixture(autouse=True)
def _ended(writers: None) -> None:
    """End the writer threads before the database is emptied."""


@pytest.fixture
def order() -> Order:
    """Two mugs for 19.80, to an address."""
    return make_order(add_product("MUG", price="9.90", stock=8), address=ADDRESS)


@pytest.fixture
def caller() -> Caller:
    return Caller(key_of())


def payment(**changes: Any) -> dict[str, Any]:
    return {"method": "transfer", "reference": "TX1", "amount": "19.80"} | changes


def test_an_order_goes_its_whole_way(order: Order, caller: Caller) -> None:
    path = f"orders/{order.display_number}"

    answers = [
        caller.post(f"{path}/pay", payment()),
        caller.post(f"{path}/pack"),
        caller.post(f"{path}/ship", {"carrier": "DHL", "tracking_number": "42"}),
        caller.post(f"{path}/deliver"),
        caller.post(f"{path}/refund", {"lines": [{"sku": "MUG", "quantity": 1}], "restock": True}),
        caller.post(f"{path}/refund", {"restock": False, "reason": "Kind"}),
    ]

    assert [answer.json().get("status") for answer in answers] == [
        *("paid", "packed", "shipped", "delivered", "delivered", "refunded"),
    ]
    assert answers[0].json()["paid"] == "19.80"
    assert answers[-1].json()["refunded"] == "19.80"
    assert answers[-1].json()["lines"][0]["refunded"] == 2
    assert Stock.objects.get().available == 9


def test_the_timeline_names_the_client(order: Order, caller: Caller) -> None:
    caller.post(f"orders/{order.pk}/cancel", {"reason": "Broken"})

    event = OrderEvent.objects.get(kind="cancelled")
    assert event.user == api_client().user
    assert event.user.username == "api:Warehouse"
    assert event.detail["reason"] == "Broken"
    assert set(order.movements.values_list("user__username")) == {("api:Warehouse",)}


def test_an_order_is_found_by_its_id_and_its_number(order: Order, caller: Caller) -> None:
    for reference in (str(order.pk), str(order.pk).upper(), str(order.number)):
        answer = caller.post(f"orders/{reference}/pay", payment())
        assert answer.status_code == 200, answer.json()
    for reference in ("T999999", "nonsense", "00000000-0000-4000-8000-000000000000", "%00"):
        answer = caller.post(f"orders/{reference}/pay", payment())
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_repeat_gets_the_same_answer_even_if_the_order_went_on(
    order: Order, caller: Caller
) -> None:
    key = new_key()
    first = caller.post(f"orders/{order.pk}/pay", payment(), key=key)
    caller.post(f"orders/{order.pk}/pack")

    second = caller.post(f"orders/{order.number}/pay", payment(), key=key)

    assert (first.status_code, second.status_code) == (200, 200)
    assert second.content == first.content
    assert "Idempotent-Replayed" not in first
    assert second["Idempotent-Replayed"] == "true"
    assert Payment.objects.count() == 1


def test_a_key_that_is_used_for_another_request_is_refused(order: Order, caller: Caller) -> None:
    key = new_key()
    caller.post(f"orders/{order.pk}/pay", payment(amount="5.00"), key=key)

    answers = [
        caller.post(f"orders/{order.pk}/pay", payment(amount="6.00"), key=key),
        caller.post(f"orders/{order.pk}/pack", key=key),
        caller.post(f"orders/{make_order(add_product('TEA')).pk}/pay", payment(), key=key),
    ]

    assert {(a.status_code, a.json()["code"]) for a in answers} == {(409, "key_reused")}
    assert Payment.objects.count() == 1


def test_the_keys_of_two_clients_have_nothing_to_do_with_each_other(order: Order) -> None:
    key = new_key()
    Caller(key_of("A")).post(f"orders/{order.pk}/pay", payment(amount="5.00"), key=key)

    answer = Caller(key_of("B")).post(
        f"orders/{order.pk}/pay", payment(amount="6.00", reference="TX2"), key=key
    )

    assert answer.json()["paid"] == "11.00"


@pytest.mark.parametrize("key", [None, "short", "with space in it xx", "ключ-ключ-ключ-ключ"])
def test_a_step_needs_a_key_of_its_own(order: Order, caller: Caller, key: str | None) -> None:
    answer = caller.post(f"orders/{order.pk}/pay", payment(), key=key)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert not ApiAnswer.objects.exists()


@pytest.mark.parametrize("step", ["pack", "deliver"])
def test_a_step_that_takes_nothing_refuses_a_field(step: str, order: Order, caller: Caller) -> None:
    answer = caller.post(f"orders/{order.pk}/{step}", {"lines": [{"sku": "A", "quantity": 1}]})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "lines")


def test_refusals_say_why_in_code_and_words(order: Order, caller: Caller) -> None:
    path = f"orders/{order.pk}"
    early = caller.post(f"{path}/ship", {"carrier": "DHL"})
    too_much = caller.post(f"{path}/pay", payment(amount="20.00"))
    caller.post(f"{path}/pay", payment())
    other = caller.post(f"{path}/pay", payment(amount="1.00"))
    unknown = caller.post(f"{path}/refund", {"lines": [{"sku": "X", "quantity": 1}], "restock": 1})
    many = caller.post(
        f"{path}/refund", {"lines": [{"sku": "MUG", "quantity": 3}], "restock": False}
    )

    assert (early.status_code, early.json()["code"]) == (409, "wrong_status")
    assert early.json()["order_status"] == "placed"
    assert (too_much.status_code, too_much.json()["code"]) == (422, "invalid")
    assert "19.80" in too_much.json()["errors"][0]["message"]
    assert too_much.json()["errors"][0]["field"] == "amount"
    assert (other.status_code, other.json()["code"]) == (409, "done_differently")
    assert unknown.json()["errors"][0]["field"] == "restock"
    assert (many.status_code, many.json()["code"]) == (422, "invalid")


def test_a_refused_step_may_succeed_later_under_the_same_key(order: Order, caller: Caller) -> None:
    key = new_key()
    assert caller.post(f"orders/{order.pk}/pack", key=key).status_code == 409
    caller.post(f"orders/{order.pk}/pay", payment())

    answer = caller.post(f"orders/{order.pk}/pack", key=key)

    assert answer.json()["status"] == "packed"
    assert "Idempotent-Replayed" not in answer


def test_an_order_that_somebody_keeps_locked_is_busy(
    order: Order, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(**_step: Any) -> None:
        raise OrderBusy

    monkeypatch.setattr(transitions, "pack", busy)

    answer = caller.post(f"orders/{order.pk}/pack")

    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert int(answer["Retry-After"]) > 0


def test_a_step_is_answered_without_its_person_if_the_key_may_not_read_it(order: Order) -> None:
    key = new_key()
    reader = Caller(key_of(scopes=[ORDERS_WRITE]))
    answer = reader.post(f"orders/{order.display_number}/pay", payment(), key=key)
    again = Caller(key_of(scopes=[ORDERS_WRITE, CUSTOMERS_READ])).post(
        f"orders/{order.display_number}/pay", payment(), key=key
    )

    assert (answer.json()["id"], answer.json()["status_url"]) == (None, None)
    assert str(order.pk) not in answer.content.decode()
    assert again.json()["id"] == str(order.pk)
    assert again.json()["number"] == answer.json()["number"]


def test_a_step_whose_answer_was_lost_is_answered_when_the_order_has_gone_on(
    order: Order, caller: Caller
) -> None:
    """The process died between the step and its answer; a colleague did the next step."""
    key = new_key()
    caller.post(f"orders/{order.pk}/pay", payment())
    caller.post(f"orders/{order.pk}/pack", key=key)
    ApiAnswer.objects.filter(key=key).update(answer="")
    transitions.ship(order_id=order.pk, carrier="DHL")

    answer = caller.post(f"orders/{order.pk}/pack", key=key)

    assert (answer.status_code, answer.json()["status"]) == (200, "shipped")
    assert OrderEvent.objects.filter(kind="packed").count() == 1


def test_control_a_new_key_is_told_that_the_order_has_gone_on(order: Order, caller: Caller) -> None:
    caller.post(f"orders/{order.pk}/pay", payment())
    caller.post(f"orders/{order.pk}/pack")
    transitions.ship(order_id=order.pk, carrier="DHL")

    assert caller.post(f"orders/{order.pk}/pack").status_code == 409


def test_a_refund_whose_answer_was_lost_is_made_once(order: Order, caller: Caller) -> None:
    key = new_key()
    caller.post(f"orders/{order.pk}/pay", payment())
    body = {"lines": [{"sku": "MUG", "quantity": 1}], "restock": True}
    caller.post(f"orders/{order.pk}/refund", body, key=key)
    ApiAnswer.objects.filter(key=key).update(answer="")

    answer = caller.post(f"orders/{order.pk}/refund", body, key=key)

    assert (answer.status_code, answer.json()["refunded"]) == (200, "9.90")
    assert Refund.objects.count() == 1


def test_a_sku_on_two_lines_of_a_refund_is_added_up(order: Order, caller: Caller) -> None:
    caller.post(f"orders/{order.pk}/pay", payment())
    lines = [{"sku": "MUG", "quantity": 1}, {"sku": "MUG", "quantity": 1}]

    answer = caller.post(f"orders/{order.pk}/refund", {"lines": lines, "restock": False})

    assert answer.json()["status"] == "refunded"
    assert Refund.objects.get().created_at <= timezone.now()
