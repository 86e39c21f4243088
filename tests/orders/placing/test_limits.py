"""Order limits: what counts, what doesn't, and 60 clients at once."""

from typing import Any

import pytest
from django.db import OperationalError

from orders.lifecycle.transitions import cancel
from orders.models import Order, Stock
from orders.placing import limits
from orders.placing.errors import OrderLimited, OutOfStock, ShopBusy
from orders.placing.placement import place_order
from project.email_addresses import mailbox
from project.limits.rates import UNLIMITED, Rate
from project.models import LimitCounter, RefusalCount
from project.monitoring.metrics import read_metrics
from tests.factories import add_product, new_key, order_request
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "writer"])

ADDRESS = "2001:db8:1:2::/64"


@pytest.fixture(autouse=True)
def tea() -> None:
    add_product("TEA", stock=1000)


def only(settings: Any, **rates: Rate) -> None:
    settings.ORDER_LIMITS = {
        **dict.fromkeys(("address", "email", "phone", "session", "all"), UNLIMITED),
        **rates,
    }


@pytest.mark.parametrize(
    ("limit", "fields"),
    [
        ("address", {"counted_address": ADDRESS}),
        ("email", {"email": "ada@example.org"}),
        ("phone", {"phone": "+4930123456"}),
        ("session", {"session_key": "secret"}),
        ("all", {}),
    ],
)
def test_each_limit_refuses_the_order_beyond_it_and_takes_no_stock(
    settings: Any, limit: str, fields: dict[str, Any]
) -> None:
    only(settings, **{limit: Rate(2, 3600)})
    for _number in range(2):
        place_order(order_request(("TEA", 1), **fields))

    with pytest.raises(OrderLimited) as refused:
        place_order(order_request(("TEA", 1), **fields))

    assert refused.value.limit == limit
    assert 3500 < refused.value.retry_after <= 3600
    assert Stock.objects.get().available == 998
    assert Order.objects.count() == 2


def test_refusals_are_counted_by_limit_for_the_metrics(settings: Any) -> None:
    only(settings, email=Rate(1, 3600))
    place_order(order_request(("TEA", 1)))

    for _number in range(3):
        with pytest.raises(OrderLimited):
            place_order(order_request(("TEA", 1)))

    lines = read_metrics().decode().splitlines()
    assert 'tandem_order_refusals_total{limit="email"} 3.0' in lines
    assert 'tandem_order_refusals_total{limit="phone"} 0.0' in lines


def test_a_refusal_that_can_not_be_counted_stays_one(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(settings, email=Rate(1, 3600))
    place_order(order_request(("TEA", 1)))

    def add(limit: str) -> None:
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(RefusalCount.objects, "add", add)

    with pytest.raises(OrderLimited):
        place_order(order_request(("TEA", 1)))


def test_a_repeat_is_never_refused(settings: Any) -> None:
    only(settings, email=Rate(1, 3600))
    request = order_request(("TEA", 1))
    placed = place_order(request).order

    for _repeat in range(3):
        assert place_order(request).order == placed

    assert LimitCounter.objects.get().used == 1


def test_place_and_cancel_in_a_loop_comes_to_an_end(settings: Any) -> None:
    only(settings, address=Rate(3, 3600))
    requests = sixty_from_one_network()
    for request in requests[:3]:
        placed = place_order(request)
        cancel(order_id=placed.order.pk, by_shopper=True, user=None)

    with pytest.raises(OrderLimited):
        place_order(requests[3])

    assert Order.objects.count() == 3


def test_an_order_that_is_not_placed_is_not_counted(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(settings, email=Rate(1, 3600))
    with pytest.raises(OutOfStock):
        place_order(_more_than_there_is())

    def submit(draft: Any) -> None:
        raise ShopBusy

    with monkeypatch.context() as patched:
        patched.setattr("orders.placing.placement.submit", submit)
        with pytest.raises(ShopBusy):
            place_order(order_request(("TEA", 1)))

    place_order(order_request(("TEA", 1)))


def _more_than_there_is() -> Any:
    add_product("RARE", stock=1)
    return order_request(("RARE", 2))


def test_two_at_once_with_one_key_count_as_one_order(settings: Any) -> None:
    only(settings, email=Rate(100, 3600))
    key = new_key()

    outcomes = at_once([order_request(("TEA", 1), key=key) for _number in range(12)], clients=12)

    assert len({placed.order.pk for placed in outcomes}) == 1
    assert LimitCounter.objects.get().used == 1


def test_without_its_counters_an_order_is_placed(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(settings, email=Rate(1, 3600))

    def take(counts: Any) -> None:
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr("project.limits.counters.take", take)

    assert place_order(order_request(("TEA", 1))).order


def test_switched_off_it_asks_nothing(settings: Any, django_assert_num_queries: Any) -> None:
    settings.ORDER_LIMITS = None
    with django_assert_num_queries(0):
        assert limits.count_order(order_request(("TEA", 1))) == []


@pytest.mark.parametrize(
    ("email", "counted"),
    [
        ("Ada@Example.ORG", "ada@example.org"),
        ("ada+1@example.org", "ada@example.org"),
        ("ada+1+2@example.org", "ada@example.org"),
        ("ａｄａ@example.org", "ada@example.org"),
        ("a\u200bda\u00ad@example.org", "ada@example.org"),
        ("ada@München.example", "ada@xn--mnchen-3ya.example"),
        ("ada@xn--mnchen-3ya.example", "ada@xn--mnchen-3ya.example"),
        ("+ada@example.org", "+ada@example.org"),
    ],
)
def test_the_spellings_of_a_mailbox_count_as_one(email: str, counted: str) -> None:
    assert mailbox(email) == counted


def test_operators_dont_see_the_key_that_opens_a_session(settings: Any) -> None:
    only(settings, session=Rate(5, 3600))

    place_order(order_request(("TEA", 1), session_key="the-secret-session-key"))

    assert "secret" not in LimitCounter.objects.get().key


# ── At once ─────────────────────────────────────────────────────────────────────────────────
def sixty_from_one_network() -> list[Any]:
    return [
        order_request(("TEA", 1), email=f"{number}@example.org", counted_address=ADDRESS)
        for number in range(60)
    ]


def test_of_60_clients_at_once_exactly_10_place_an_order(settings: Any) -> None:
    only(settings, address=Rate(10, 3600), email=Rate(10, 3600), all=Rate(200, 3600))

    outcomes = at_once(sixty_from_one_network(), clients=60)

    refused = [outcome for outcome in outcomes if isinstance(outcome, OrderLimited)]
    assert len(refused) == 50
    assert Order.objects.count() == 10
    assert Stock.objects.get().available == 990
    everybody = LimitCounter.objects.get(name="order:all")
    assert everybody.used == 10  # what was refused is not counted


def test_control_without_the_guard_all_60_place_an_order(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(settings, address=Rate(10, 3600))
    monkeypatch.setattr("orders.placing.placement.count_order", lambda request: [])

    at_once(sixty_from_one_network(), clients=60)

    assert Order.objects.count() == 60
