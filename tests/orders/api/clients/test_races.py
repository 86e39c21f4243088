"""Requests of API clients at once: one step, one count, one limit; and controls without the guards.

Each request has a connection of its own, as in the web process.
"""

import threading
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
from django.db.models.functions import Now

from orders.api import order_steps
from orders.clients.answers import Claim
from orders.clients.limit import Allowance, TooManyRequestsError, count_request
from orders.lifecycle import payments, transitions
from orders.models import (
    ApiAnswer,
    ApiClient,
    ApiKey,
    Order,
    OrderEvent,
    Payment,
    Refund,
    StockMovement,
)
from project.limits import counters
from project.models import LimitCounter
from tests.clients import Caller, api_client, key_of
from tests.factories import add_product, make_order, new_key
from tests.races import together

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])

CLIENTS = 8


@pytest.fixture(autouse=True)
def _ended(writers: None) -> None:
    """End the writer threads before the database is emptied."""


@pytest.fixture
def order() -> Order:
    return make_order(add_product("MUG", price="9.90", stock=8))


def payment(reference: str = "TX1") -> dict[str, Any]:
    return {"method": "transfer", "reference": reference, "amount": "19.80"}


def statuses(found: list[Any]) -> Counter[int]:
    return Counter(answer.status_code for answer in found)


def test_the_same_request_at_once_is_one_step_with_one_answer(order: Order) -> None:
    caller, key = Caller(key_of()), new_key()

    found = together(*[lambda: caller.post(f"orders/{order.pk}/pay", payment(), key=key)] * CLIENTS)

    assert statuses(found) == {200: CLIENTS}
    assert len({answer.content for answer in found}) == 1
    assert Payment.objects.count() == 1
    assert OrderEvent.objects.filter(kind="paid").count() == 1
    assert ApiAnswer.objects.count() == 1


def test_two_payments_of_all_that_is_due_at_once_are_one(order: Order) -> None:
    key = key_of()

    found = together(
        *[
            lambda number=number: Caller(key).post(f"orders/{order.pk}/pay", payment(f"TX{number}"))
            for number in range(CLIENTS)
        ]
    )

    assert statuses(found) == {200: 1, 409: CLIENTS - 1}
    assert Payment.objects.count() == 1


def test_control_without_the_orders_lock_more_is_paid_than_is_due(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = key_of()
    both = threading.Barrier(2)
    due_of = payments.due_of

    def due(locked: Order) -> Any:
        found = due_of(locked)
        both.wait(10)
        return found

    monkeypatch.setattr(payments, "lock", lambda order_id: Order.objects.get(pk=order_id))
    monkeypatch.setattr(payments, "due_of", due)

    together(
        *[
            lambda reference=reference: Caller(key).post(
                f"orders/{order.pk}/pay", payment(reference)
            )
            for reference in ("TX1", "TX2")
        ]
    )

    assert Payment.objects.count() == 2


def test_the_same_refund_at_once_gives_back_once(order: Order) -> None:
    caller, key = Caller(key_of()), new_key()
    caller.post(f"orders/{order.pk}/pay", payment())
    body = {"lines": [{"sku": "MUG", "quantity": 1}], "restock": True}

    found = together(*[lambda: caller.post(f"orders/{order.pk}/refund", body, key=key)] * CLIENTS)

    assert statuses(found) == {200: CLIENTS}
    assert len({answer.content for answer in found}) == 1
    assert Refund.objects.count() == 1
    assert StockMovement.objects.filter(kind="refund").count() == 1


def test_control_with_an_id_of_each_request_it_gives_back_twice(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, key = Caller(key_of()), new_key()
    caller.post(f"orders/{order.pk}/pay", payment())
    monkeypatch.setattr(Claim, "id", property(lambda _claim: uuid4()))
    body = {"lines": [{"sku": "MUG", "quantity": 1}], "restock": True}
    both = threading.Barrier(2)
    refund = transitions.refund

    def at_once(**wanted: Any) -> Order:
        both.wait(10)
        return refund(**wanted)

    monkeypatch.setattr(transitions, "refund", at_once)

    together(*[lambda: caller.post(f"orders/{order.pk}/refund", body, key=key)] * 2)

    assert Refund.objects.count() == 2


def test_the_same_count_at_once_moves_once() -> None:
    add_product("MUG", stock=10)
    caller, key = Caller(key_of()), new_key()
    body = {"sku": "MUG", "counted": 4, "reason": "Shelf"}

    found = together(*[lambda: caller.post("stock/counts", body, key=key)] * CLIENTS)

    assert statuses(found) == {200: CLIENTS}
    assert len({answer.content for answer in found}) == 1
    assert StockMovement.objects.get().quantity == -6


def test_one_of_two_requests_under_one_key_gets_it(order: Order) -> None:
    caller, key = Caller(key_of()), new_key()
    pay = payment() | {"amount": "1.00"}

    found = together(
        *[lambda: caller.post(f"orders/{order.pk}/pay", pay, key=key)] * 4,
        *[lambda: caller.post(f"orders/{order.pk}/pay", pay | {"amount": "2.00"}, key=key)] * 4,
    )

    assert statuses(found) == {200: 4, 409: 4}
    assert Payment.objects.count() == 1


class DeadError(BaseException):
    """The process ends here: no `except Exception` sees it."""


def test_a_process_that_dies_between_step_and_answer_has_done_the_step_once(
    order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, key = Caller(key_of()), new_key()
    with monkeypatch.context() as dying:

        def die(*_orders: Any, **_options: Any) -> None:
            raise DeadError

        dying.setattr(order_steps, "seen_orders", die)
        with pytest.raises(DeadError):
            caller.post(f"orders/{order.pk}/pay", payment(), key=key)
    assert Payment.objects.count() == 1
    assert ApiAnswer.objects.get().answer == ""

    answer = caller.post(f"orders/{order.pk}/pay", payment(), key=key)

    assert (answer.status_code, answer.json()["status"]) == (200, "paid")
    assert Payment.objects.count() == 1


def test_a_key_that_is_revoked_while_it_is_used_opens_nothing_from_then_on(order: Order) -> None:
    """Each request is let in by what the database says, so no process remembers a key."""
    key = key_of()
    revoked = threading.Event()

    def revoke() -> None:
        ApiKey.objects.update(revoked_at=Now())
        revoked.set()

    def ask() -> list[int]:
        caller, found = Caller(key), []
        while not revoked.is_set():
            found.append(caller.get("orders").status_code)
        return [*found, caller.get("orders").status_code]

    *asked, _none = together(ask, ask, ask, revoke)

    for found in asked:
        assert found[-1] == 401
        assert sorted(found) == found  # 200 … 200, 401 … 401


def requests_of(client_id: int, number: int) -> list[Allowance | None]:
    """Count so many requests; None for each that is refused."""
    client, found = ApiClient.objects.get(pk=client_id), []
    for _number in range(number):
        try:
            found.append(count_request(client))
        except TooManyRequestsError:
            found.append(None)
    return found


def test_a_limit_is_counted_right_by_all_who_count() -> None:
    client = api_client(requests_per_minute=20)

    found = together(*[lambda: requests_of(client.pk, 5)] * CLIENTS)

    left = [one.left for many in found for one in many if one is not None]
    assert sorted(left) == list(range(20))  # each number once
    assert LimitCounter.objects.get().used == 20


def test_control_without_the_rows_check_more_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    without = counters._TAKE.replace(
        "WHERE counter.ends_at <= now() OR counter.used < excluded.allowed", ""
    ).replace("counter.used >= asked.allowed", "false")
    assert without != counters._TAKE
    monkeypatch.setattr(counters, "_TAKE", without)
    client = api_client(requests_per_minute=20)

    found = together(*[lambda: requests_of(client.pk, 5)] * CLIENTS)

    assert sum(one is not None for many in found for one in many) == 5 * CLIENTS
