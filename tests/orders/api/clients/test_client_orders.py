"""The list of orders: keyset pages by the time of the last change, the desk's filters, persons."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from orders.clients.scopes import ORDERS_READ, STOCK_READ
from orders.models import Order
from tests.clients import Caller, key_of
from tests.desk import message
from tests.factories import add_product, make_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def orders(db: None) -> list[Order]:
    """Five orders that were changed an hour ago, a minute after each other."""
    mug = add_product("MUG")
    found = [make_order(mug) for _number in range(5)]
    begin = timezone.now() - timedelta(hours=1)
    for number, order in enumerate(found):
        order.changed_at = begin + timedelta(minutes=number)
        order.save(update_fields=["changed_at"])
    return found


@pytest.fixture
def caller(db: None) -> Caller:
    return Caller(key_of())


def numbers(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.json()
    return [item["number"] for item in answer.json()["items"]]


def shown(*orders: Order) -> list[str]:
    return [order.display_number for order in orders]


def test_pages_follow_each_other_and_end(orders: list[Order], caller: Caller) -> None:
    first = caller.get("orders", limit=2)
    second = caller.get("orders", limit=2, cursor=first.json()["next"])
    third = caller.get("orders", limit=2, cursor=second.json()["next"])

    assert numbers(first) + numbers(second) + numbers(third) == shown(*orders)
    assert third.json()["next"] is None


def test_an_order_that_is_changed_while_its_list_is_read_comes_at_the_end(
    orders: list[Order], caller: Caller
) -> None:
    first = caller.get("orders", limit=2)
    Order.objects.filter(pk=orders[0].pk).update(changed_at=timezone.now())

    rest = caller.get("orders", cursor=first.json()["next"])

    assert numbers(rest) == shown(*orders[2:], orders[0])


def test_updated_after_leaves_out_what_was_not_changed_since(
    orders: list[Order], caller: Caller
) -> None:
    after = orders[2].changed_at.isoformat()

    assert numbers(caller.get("orders", updated_after=after)) == shown(*orders[3:])


def test_resuming_finds_what_was_being_written_at_the_first_look(
    orders: list[Order], caller: Caller
) -> None:
    """Such an order has an earlier time than the last one that was read."""
    now = timezone.now()
    Order.objects.filter(pk=orders[4].pk).update(changed_at=now)
    first = caller.get("orders")
    Order.objects.filter(pk=orders[0].pk).update(changed_at=now - timedelta(seconds=5))

    second = caller.get("orders", updated_after=first.json()["resume_after"])

    assert numbers(second) == shown(orders[0], orders[4])


def test_a_web_process_whose_clock_is_ahead_misses_nothing_either(
    orders: list[Order], caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    Order.objects.filter(pk=orders[4].pk).update(changed_at=now)
    with time_machine.travel(now + timedelta(minutes=5)):
        first = caller.get("orders")
    Order.objects.filter(pk=orders[0].pk).update(changed_at=now - timedelta(seconds=5))

    second = caller.get("orders", updated_after=first.json()["resume_after"])

    assert numbers(second) == shown(orders[0], orders[4])


def test_control_resuming_at_the_last_orders_time_misses_it(
    orders: list[Order], caller: Caller
) -> None:
    now = timezone.now()
    Order.objects.filter(pk=orders[4].pk).update(changed_at=now)
    first = caller.get("orders")
    Order.objects.filter(pk=orders[0].pk).update(changed_at=now - timedelta(seconds=5))

    second = caller.get("orders", updated_after=first.json()["items"][-1]["changed_at"])

    assert orders[0].display_number not in numbers(second)


@pytest.mark.parametrize("cursor", ["nonsense", "x:y", "WyJhIl0:abc"])
def test_a_cursor_that_the_shop_did_not_make_is_invalid(caller: Caller, cursor: str) -> None:
    answer = caller.get("orders", cursor=cursor)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "cursor"


def test_a_cursor_of_another_list_is_invalid(orders: list[Order], caller: Caller) -> None:
    cursor = caller.get("orders", limit=1).json()["next"]

    assert caller.get("stock", cursor=cursor).status_code == 422


def test_without_the_scope_no_person_is_told_nor_anything_that_leads_to_one(
    orders: list[Order],
) -> None:
    answer = Caller(key_of(scopes=[ORDERS_READ])).get("orders")

    text = answer.content.decode()
    assert len(numbers(answer)) == 5
    for order in orders:
        assert str(order.pk) not in text
    assert "Ada" not in text
    assert "ada@" not in text
    assert {item["customer"] for item in answer.json()["items"]} == {None}


def test_with_the_scope_the_person_comes_with_the_order(caller: Caller) -> None:
    order = make_order(address={"line1": "1 Mill Rd", "city": "Ely", "country": "GB"})

    [item] = caller.get("orders").json()["items"]

    assert item["id"] == str(order.pk)
    assert item["status_url"].endswith(f"/orders/{order.pk}/")
    assert item["customer"]["email"] == "ada@example.org"
    assert item["customer"]["address"]["city"] == "Ely"
    assert item["country"] == "GB"


def test_words_are_sought_only_by_a_key_that_may_read_persons(
    orders: list[Order], caller: Caller
) -> None:
    reader = Caller(key_of(scopes=[ORDERS_READ]))

    assert len(numbers(caller.get("orders", q="lovelace"))) == 5
    assert reader.get("orders", q="lovelace").status_code == 403
    wanted = orders[1].display_number
    assert numbers(reader.get("orders", q=wanted)) == [wanted]


def test_money_is_told_with_the_order(caller: Caller) -> None:
    order = make_order()
    order.payments.create(method="cash", reference="1", amount="5.00")

    [item] = caller.get("orders").json()["items"]

    assert (item["total"], item["paid"], item["due"]) == ("19.80", "5.00", "14.80")


def test_the_filters_are_those_of_the_desk(orders: list[Order], caller: Caller) -> None:
    tea = add_product("TEA")
    api = make_order(tea, address={"country": "FR"}, status="shipped")
    Order.objects.filter(pk=api.pk).update(door="api")
    api.events.create(kind="shipped", detail={"carrier": "DHL", "tracking_number": ""})
    message(api, status="failed")  # type: ignore[arg-type]
    pot = add_product("POT", price="9.90")
    late = make_order(pot, status="placed", placed_at=timezone.now() - timedelta(days=60))
    gone = make_order(add_product("CUP"), status="cancelled")

    for filters, wanted in (
        ({"status": "shipped"}, [api]),
        ({"source": "api"}, [api]),
        ({"jobs": "trouble"}, [api]),
        ({"payment": "full"}, [api]),
        ({"payment": "overdue"}, [late]),
        ({"product": "TEA"}, [api]),
        ({"country": "FR"}, [api]),
        ({"country": "pickup", "product": "CUP"}, [gone]),
        ({"carrier": "dhl"}, [api]),
        ({"placed_to": (timezone.now() - timedelta(days=30)).date().isoformat()}, [late]),
        ({"placed_from": "2000-01-01", "total_from": "10", "total_to": "20"}, [late]),
        ({"address": "troubled"}, []),
    ):
        assert numbers(caller.get("orders", **filters)) == shown(*wanted), filters
    assert len(numbers(caller.get("orders", sales="counted"))) == 7


@pytest.mark.parametrize(
    "filters",
    [
        {"status": "eaten"},
        {"updated_after": "yesterday"},
        {"updated_after": "2026-01-01T00:00:00"},
        {"limit": "0"},
        {"limit": "201"},
        {"country": "XX"},
        {"placed_from": "31.12.2026"},
        {"placed_to": "0"},
        {"updated_after": "1764417600"},
    ],
)
def test_a_filter_that_makes_no_sense_is_invalid(caller: Caller, filters: dict[str, str]) -> None:
    answer = caller.get("orders", **filters)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == next(iter(filters))


def test_a_filter_says_what_it_wants(caller: Caller) -> None:
    country = caller.get("orders", country="XX").json()["errors"][0]

    assert "a country's code" in country["message"]


@pytest.mark.parametrize(
    "path", ["orders", "stock", "stock/movements", "catalogue", "customers", "jobs"]
)
def test_a_misspelt_parameter_is_refused(caller: Caller, path: str) -> None:
    answer = caller.get(path, stauts="paid")

    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "stauts", "message": "There is no such parameter."}
    ]


@pytest.mark.parametrize("source", Order.Source.values)
def test_orders_of_each_door_are_found(caller: Caller, source: str) -> None:
    assert caller.get("orders", source=source).status_code == 200


@pytest.mark.parametrize(
    "parameters",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "x"},
        {"status": "lost"},
        {"updated_after": "2026-01-01T00:00:00"},
        {"updated_after": "2026-13-01T00:00:00Z"},
        {"placed_from": "2026-13-01"},
        {"total_from": "x"},
        {"total_from": "-1"},
        {"sales": "x"},
    ],
)
def test_a_wrong_parameter_is_told_in_the_readers_language(parameters: dict[str, str]) -> None:
    key = {"authorization": f"Bearer {key_of()}", "accept-language": "zh-hans"}

    answer = Client(headers=key).get("/api/v1/orders", parameters)

    [error] = answer.json()["errors"]
    assert error["field"] == next(iter(parameters))
    assert "请" in error["message"]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_the_ends_of_time_are_no_crash(caller: Caller, moment: str) -> None:
    day = moment[:10]

    answer = caller.get("orders", updated_after=moment, placed_from=day, placed_to=day)

    assert answer.status_code == 200


def test_the_number_of_queries_does_not_grow_with_the_page(
    orders: list[Order], caller: Caller, django_assert_max_num_queries: Any
) -> None:
    caller.get("orders")  # the key's use is noted

    with django_assert_max_num_queries(7):
        assert len(numbers(caller.get("orders"))) == 5


def test_one_order_is_read_by_its_number(caller: Caller) -> None:
    order = make_order()

    answer = caller.get(f"orders/{order.display_number}")

    [listed] = caller.get("orders").json()["items"]
    assert answer.status_code == 200
    assert answer.json() == listed
    assert answer.json()["customer"]["email"] == "ada@example.org"


def test_by_its_number_no_person_is_told_without_the_scope() -> None:
    order = make_order()

    answer = Caller(key_of(scopes=[ORDERS_READ])).get(f"orders/{order.display_number}")

    text = answer.content.decode()
    assert (answer.status_code, answer.json()["number"]) == (200, order.display_number)
    assert str(order.pk) not in text
    assert "Ada" not in text
    assert answer.json()["customer"] is None


def test_without_a_key_a_number_says_nothing() -> None:
    order = make_order()

    known = Caller("").get(f"orders/{order.display_number}")
    unknown = Caller("").get("orders/T999999")

    assert (known.status_code, known.content) == (404, unknown.content)


def test_a_number_needs_the_scope_and_an_order(caller: Caller) -> None:
    order = make_order()
    other = Caller(key_of(scopes=[STOCK_READ]))

    refused = [other.get(f"orders/{number}") for number in (order.display_number, "T999999")]

    assert [answer.status_code for answer in refused] == [403, 403]
    assert refused[0].json()["scope"] == ORDERS_READ
    assert caller.get("orders/T999999").status_code == 404
    assert caller.get("orders/nonsense").status_code == 404
    assert caller.get(f"orders/{order.pk}").json()["jobs"] == []
