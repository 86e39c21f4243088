"""A checkout is placed for what its last answer showed, or not at all: by both doors."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from orders.agents import completing
from orders.agents.last_answer import said
from orders.models import AgentCheckout, Order, Product, Stock, Voucher
from tests.agents.agent import Agent, codes_of, paying, total_of
from tests.agents.mcp_calls import call, content
from tests.factories import add_product, add_voucher

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers", "local"),
]
Completes = Callable[[dict[str, Any]], dict[str, Any]]
Changes = Callable[[], None]


def by_rest(checkout: dict[str, Any]) -> dict[str, Any]:
    status, answer = Agent().complete(checkout)
    assert status == 200
    return dict(answer)


def by_mcp(checkout: dict[str, Any]) -> dict[str, Any]:
    return content(call("complete_checkout", id=checkout["id"], checkout=paying()))


def price_rises() -> None:
    Product.objects.filter(sku="LANTERN").update(price=Decimal("44.00"))


def voucher_is_used_up() -> None:
    Voucher.objects.update(used=1)


def others_buy_four() -> None:
    Stock.objects.update(available=1)


CHANGES = pytest.mark.parametrize(
    ("change", "then"),
    [(price_rises, (5, 20000)), (voucher_is_used_up, (5, 19500)), (others_buy_four, (1, 1900))],
)
DOORS = pytest.mark.parametrize("complete", [by_rest, by_mcp])


def ready() -> dict[str, Any]:
    """Return a checkout of five lanterns at 39, with a voucher of 20: 175 in all."""
    add_product("LANTERN", stock=5, price="39.00")
    add_voucher(code="TWENTY", kind=Voucher.Kind.AMOUNT, value=20, limit=1)
    checkout = Agent().checkout(("LANTERN", 5), discounts={"codes": ["TWENTY"]})
    assert (checkout["status"], total_of(checkout)) == ("ready_for_complete", 17500)
    return checkout


def units_and_total(checkout: dict[str, Any]) -> tuple[int, int]:
    return sum(line["quantity"] for line in checkout["line_items"]), total_of(checkout)


@DOORS
@CHANGES
def test_what_nobody_saw_is_not_placed_but_shown(
    complete: Completes, change: Changes, then: tuple[int, int]
) -> None:
    checkout = ready()
    change()

    answer = complete(checkout)

    assert answer["status"] == "ready_for_complete"
    assert "total_changed" in codes_of(answer)
    assert units_and_total(answer) == then
    assert not Order.objects.exists()


@DOORS
@CHANGES
def test_what_was_shown_then_is_placed(
    complete: Completes, change: Changes, then: tuple[int, int]
) -> None:
    checkout = ready()
    change()
    complete(checkout)

    answer = complete(checkout)

    assert answer["status"] == "completed"
    assert units_and_total(answer) == then
    assert Order.objects.get().total == Decimal(then[1]) / 100


@CHANGES
def test_without_the_comparison_it_is_placed_unseen(
    change: Changes, then: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr(completing, "is_as_shown", lambda *_any: True)
    checkout = ready()
    change()

    answer = by_rest(checkout)

    assert (answer["status"], units_and_total(answer)) == ("completed", then)


@CHANGES
def test_a_read_shows_it_too(change: Changes, then: tuple[int, int]) -> None:
    checkout = ready()
    change()

    _status, read = Agent().send("GET", f"/checkout-sessions/{checkout['id']}")
    answer = by_rest(checkout)

    assert units_and_total(read) == then
    assert (answer["status"], units_and_total(answer)) == ("completed", then)


def test_a_declined_payment_does_not_hide_the_change() -> None:
    checkout = ready()
    price_rises()

    _status, answer = Agent().complete(checkout, paying("fail_token"))

    assert {"total_changed", "payment_failed"} <= set(codes_of(answer))


def test_two_prices_that_even_out_are_a_change() -> None:
    add_product("MUG", price="10.00")
    add_product("TEA", price="5.00")
    checkout = Agent().checkout(("MUG", 1), ("TEA", 1))
    Product.objects.filter(sku="MUG").update(price=Decimal("9.00"))
    Product.objects.filter(sku="TEA").update(price=Decimal("6.00"))

    answer = by_rest(checkout)

    assert "total_changed" in codes_of(answer)
    assert not Order.objects.exists()


def test_a_repeat_under_the_key_that_told_the_change_places_nothing() -> None:
    checkout = ready()
    price_rises()

    answers = [Agent().complete(checkout, key="the first key")[1] for _time in range(2)]

    assert answers[0] == answers[1]
    assert not Order.objects.exists()


def test_a_checkout_of_an_older_version_is_shown_before_it_is_placed() -> None:
    checkout = ready()
    row = AgentCheckout.objects.get()
    del row.wanted["shown"]
    row.save()

    first, second = by_rest(checkout), by_rest(checkout)

    assert "total_changed" in codes_of(first)
    assert second["status"] == "completed"


def test_a_read_does_not_undo_a_change_that_came_between(monkeypatch: pytest.MonkeyPatch) -> None:
    from orders.agents import checkouts

    checkout = ready()
    price_rises()
    keep = checkouts.keep_shown

    def late(row: Any, *terms: Any) -> None:
        changed = AgentCheckout.objects.get()
        changed.wanted["lines"] = [["LANTERN", 2]]
        changed.save()
        keep(row, *terms)

    monkeypatch.setattr(checkouts, "keep_shown", late)
    Agent().send("GET", f"/checkout-sessions/{checkout['id']}")

    row = AgentCheckout.objects.get()
    assert row.wanted["lines"] == [["LANTERN", 2]]
    assert row.wanted["shown"]["total"] == 17500


def test_what_the_last_answer_said_is_kept_for_the_desk() -> None:
    checkout = ready()
    first = said(AgentCheckout.objects.get())
    _status, declined = Agent().complete(checkout, paying("fail_token"))
    then = said(AgentCheckout.objects.get())
    _status, read = Agent().send("GET", f"/checkout-sessions/{checkout['id']}")

    assert first == checkout["messages"]
    assert then == declined["messages"]
    assert then[-1]["code"] == "payment_failed"
    assert said(AgentCheckout.objects.get()) == read["messages"] == first
