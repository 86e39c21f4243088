"""A checkout of an agent: its whole life, and what it is told on the way."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from orders.agents import completing
from orders.models import AgentCheckout, DeliveryRate, Order, Payment, Product, Stock, Voucher
from orders.quotes.parcel import Missing, Quotes, Why
from tests.agents.agent import (
    BUYER,
    PLACE,
    Agent,
    codes_of,
    delivered,
    lines,
    paying,
    total_of,
)
from tests.factories import add_product, add_voucher

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers", "local"),
]


def test_a_checkout_becomes_an_order_that_is_paid() -> None:
    mug = add_product("MUG", stock=5, price="9.90")
    agent = Agent()
    checkout = agent.checkout(("MUG", 2))

    status, completed = agent.complete(checkout)

    assert (checkout["status"], total_of(checkout)) == ("ready_for_complete", 1980)
    assert (status, completed["status"]) == (200, "completed")
    order = Order.objects.get(pk=completed["order"]["id"])
    assert (order.door, order.status) == (Order.Source.AGENT, Order.Status.PAID)
    assert (order.name, order.email) == ("Ada Lovelace", "ada@example.org")
    assert Payment.objects.get(order=order).amount == Decimal("19.80")
    mug.refresh_from_db()
    assert mug.stock.available == 3
    assert "continue_url" not in completed


def test_a_completion_that_is_repeated_returns_the_same_order_with_any_key() -> None:
    add_product("MUG", stock=5)
    agent = Agent()
    checkout = agent.checkout(("MUG", 1))

    answers = [agent.complete(checkout, key=key) for key in ("k" * 20, "k" * 20, "another key" * 2)]

    assert [status for status, _body in answers] == [200, 200, 200]
    assert len({body["order"]["id"] for _status, body in answers}) == 1
    assert Order.objects.count() == 1


def test_the_answer_of_a_completed_checkout_is_its_orders_also_when_the_last_unit_is_gone() -> None:
    add_product("MUG", stock=1, price="3.00")
    agent = Agent()
    checkout = agent.checkout(("MUG", 1))

    _status, completed = agent.complete(checkout)
    _status, read = agent.send("GET", f"/checkout-sessions/{checkout['id']}")

    assert completed == read
    assert completed["line_items"][0]["quantity"] == 1
    assert total_of(completed) == 300


def test_without_a_buyer_it_is_incomplete_and_nothing_is_placed() -> None:
    add_product("MUG")
    agent = Agent()
    _status, checkout = agent.send("POST", "/checkout-sessions", {"line_items": lines(("MUG", 1))})

    _status, answer = agent.complete(checkout)

    assert checkout["status"] == "incomplete"
    assert "$.buyer.email" in [each.get("path") for each in checkout["messages"]]
    assert answer["status"] == "incomplete"
    assert not Order.objects.exists()


def test_an_update_replaces_lines_and_keeps_the_buyer_that_it_does_not_name() -> None:
    add_product("MUG", price="1.00")
    add_product("TEA", price="2.00")
    agent = Agent()
    checkout = agent.checkout(("MUG", 1))

    path = f"/checkout-sessions/{checkout['id']}"
    _status, changed = agent.send("PUT", path, {"line_items": lines(("TEA", 3))})

    assert [each["item"]["id"] for each in changed["line_items"]] == ["TEA"]
    assert (total_of(changed), changed["buyer"]) == (600, BUYER)


def test_delivery_costs_what_the_chosen_option_says(settings: Any) -> None:
    settings.DELIVERY_FLAT_RATE = {"*": Decimal("4.90")}
    settings.DELIVERY_BY_WEIGHT, settings.DELIVERY_SIMULATED = (), False
    add_product("MUG", price="10.00")
    agent = Agent()
    undecided = agent.checkout(("MUG", 1), fulfillment=delivered())
    path = f"/checkout-sessions/{undecided['id']}"

    chosen = {"line_items": lines(("MUG", 1)), "fulfillment": delivered("flat-rate.standard")}
    _status, decided = agent.send("PUT", path, chosen)
    _status, completed = agent.complete(decided)

    options = undecided["fulfillment"]["methods"][0]["groups"][0]["options"]
    assert [each["id"] for each in options] == ["flat-rate.standard", "pickup.shop"]
    assert undecided["status"] == "incomplete"
    assert (decided["status"], total_of(decided, "fulfillment")) == ("ready_for_complete", 490)
    order = Order.objects.get(pk=completed["order"]["id"])
    assert (order.total, order.delivery_total) == (Decimal("14.90"), Decimal("4.90"))
    assert order.address["line1"] == "1 Main St"


def test_a_destination_without_a_street_is_asked_for(settings: Any) -> None:
    settings.DELIVERY_FLAT_RATE = {"*": Decimal("4.90")}
    add_product("MUG")

    checkout = Agent().checkout(
        ("MUG", 1), fulfillment=delivered("flat-rate.standard", street_address="")
    )

    assert checkout["status"] == "incomplete"
    assert any(each.get("path", "").endswith("street_address") for each in checkout["messages"])


def paths_of(checkout: dict[str, Any]) -> list[Any]:
    """Return what of the delivery has to be mended."""
    errors = [each for each in checkout["messages"] if each["type"] == "error"]
    return [each.get("path", "").removeprefix("$.fulfillment.") for each in errors]


def test_a_fault_of_the_selected_destination_is_told_at_its_place(settings: Any) -> None:
    settings.DELIVERY_FLAT_RATE = {"*": Decimal("4.90")}
    add_product("MUG")
    fulfillment = delivered("flat-rate.standard")
    work = {**PLACE, "id": "work", "street_address": "", "postal_code": ""}
    fulfillment["methods"][0]["destinations"].append(work)
    fulfillment["methods"][0]["selected_destination_id"] = "work"

    checkout = Agent().checkout(("MUG", 1), fulfillment=fulfillment)

    assert paths_of(checkout) == [
        "methods[0].destinations[1].street_address",
        "methods[0].destinations[1].postal_code",
    ]


def test_one_of_several_destinations_is_chosen_or_nothing_is_placed(settings: Any) -> None:
    settings.DELIVERY_FLAT_RATE = {"*": Decimal("4.90")}
    add_product("MUG")
    agent = Agent()
    fulfillment = delivered()
    fulfillment["methods"][0]["destinations"].append({**PLACE, "id": "work"})

    checkout = agent.checkout(("MUG", 1), fulfillment=fulfillment)
    agent.complete(checkout)

    assert checkout["status"] == "incomplete"
    assert paths_of(checkout) == ["methods[0].selected_destination_id"]
    assert not Order.objects.exists()


def test_a_voucher_takes_off_what_it_takes_off_people() -> None:
    add_product("MUG", price="10.00")
    add_voucher(code="TEN", kind=Voucher.Kind.PERCENT, value=10)
    agent = Agent()

    checkout = agent.checkout(("MUG", 3), discounts={"codes": ["ten", "NONE"]})
    _status, completed = agent.complete(checkout)

    assert total_of(checkout, "discount") == -300
    assert codes_of(checkout) == ["pickup", "discount_code_invalid"] or (
        "discount_code_invalid" in codes_of(checkout)
    )
    order = Order.objects.get(pk=completed["order"]["id"])
    assert (order.voucher_code, order.total) == ("TEN", Decimal("27.00"))


@pytest.mark.parametrize(("is_of_category", "line_total"), [(False, 3000), (True, 2700)])
def test_an_orders_lines_cost_what_they_cost_in_the_completed_checkout(
    is_of_category: bool, line_total: int
) -> None:
    mug = add_product("MUG", price="10.00")
    category = mug.category if is_of_category else None
    add_voucher(code="TEN", kind=Voucher.Kind.PERCENT, value=10, category=category)
    agent = Agent()
    _status, completed = agent.complete(agent.checkout(("MUG", 3), discounts={"codes": ["TEN"]}))

    _status, order = agent.send("GET", f"/orders/{completed['order']['id']}")

    lines_of = [answer["line_items"][0]["totals"] for answer in (completed, order)]
    assert lines_of[0] == lines_of[1]
    assert lines_of[1][-1] == {"type": "total", "amount": line_total}
    assert order["totals"] == completed["totals"]


def test_a_price_that_changes_before_the_completion_is_told_and_not_charged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from orders.agents import completing

    add_product("MUG", price="10.00")
    agent = Agent()
    checkout = agent.checkout(("MUG", 1))
    place = completing.place_order

    def dearer(request: Any) -> Any:
        Product.objects.filter(sku="MUG").update(price=Decimal("12.00"))
        return place(request)

    monkeypatch.setattr(completing, "place_order", dearer)
    status, answer = agent.complete(checkout)

    assert (status, answer["status"]) == (200, "ready_for_complete")
    assert "total_changed" in codes_of(answer)
    assert total_of(answer) == 1200
    assert not Order.objects.exists()


def test_a_declined_payment_leaves_the_checkout_as_it_was() -> None:
    add_product("MUG", stock=5)
    agent = Agent()
    checkout = agent.checkout(("MUG", 1))

    _status, answer = agent.complete(checkout, paying("fail_token"))

    assert (answer["status"], codes_of(answer)[-1]) == ("ready_for_complete", "payment_failed")
    assert not Order.objects.exists()
    assert agent.complete(checkout)[1]["status"] == "completed"


def test_no_answer_and_no_row_has_the_credential() -> None:
    add_product("MUG")
    agent = Agent()
    checkout = agent.checkout(("MUG", 1), payment=paying("tok_secret")["payment"])
    _status, answer = agent.complete(checkout, paying("tok_secret"))

    assert "tok_secret" not in str(checkout) + str(answer)
    row = AgentCheckout.objects.get(pk=checkout["id"])
    assert "tok_secret" not in str([row.wanted, row.answer, row.escalated])


def test_a_payment_that_a_person_must_confirm_goes_on_in_the_shop(client: Any) -> None:
    add_product("MUG", stock=5, price="9.90")
    agent = Agent()
    checkout = agent.checkout(("MUG", 2))

    _status, answer = agent.complete(checkout, paying(handler="test-bank"))
    page = client.get(answer["continue_url"].removeprefix("http://localhost:8000"), follow=True)

    assert answer["status"] == "requires_escalation"
    assert answer["messages"][-1]["severity"] == "requires_buyer_input"
    assert page.redirect_chain[-1][0].startswith("/checkout/?draft=")
    assert b'value="ada@example.org"' in page.content
    assert b"Ada Lovelace" in page.content


def test_an_order_that_the_person_places_completes_the_agents_checkout(client: Any) -> None:
    add_product("MUG", stock=5, price="9.90")
    agent = Agent()
    checkout = agent.checkout(("MUG", 2))
    shown = client.get(f"/checkout/agent/{checkout['id']}/", follow=True)
    form = {
        "key": shown.context["key"],
        "line": [line.text for line in shown.context["cart"].lines],
        "expected_total": str(shown.context["total"]),
        "email": "ada@example.org",
        "name": "Ada",
        "handover": "pickup",
        "counted_delivery": "",
    }

    client.post("/checkout/", form)
    order = Order.objects.get()
    _status, read = agent.send("GET", f"/checkout-sessions/{checkout['id']}")
    _status, completed = agent.complete(checkout)

    assert shown.context["key"] == UUID(checkout["id"]).hex
    assert (read["status"], read["order"]["id"]) == ("completed", str(order.pk))
    assert completed["order"]["id"] == str(order.pk)
    assert Order.objects.count() == 1


def handed_over(client: Any, delivery: dict[str, Any]) -> dict[str, Any]:
    """Return what the checkout page has chosen, after the agent chose this."""
    checkout = Agent().checkout(("MUG", 1), fulfillment=delivery)
    page = client.get(f"/checkout/agent/{checkout['id']}/", follow=True)
    offer, form = page.context["offer"], page.context["form"]
    quote = offer.chosen
    return {
        "handover": form["handover"].value(),
        "delivery": f"{quote.carrier}/{quote.service}" if quote else "",
        "offered": len(offer.quotes),
    }


def test_the_person_finds_the_delivery_that_the_agent_chose(client: Any, settings: Any) -> None:
    settings.DELIVERY_FLAT_RATE = {"*": Decimal("9.90")}
    settings.DELIVERY_BY_WEIGHT, settings.DELIVERY_SIMULATED = (), False
    settings.DELIVERY_TABLE = True
    DeliveryRate.objects.create(code="std.ship", service="std", label="Std", price=Decimal("4.90"))
    add_product("MUG", price="10.00")

    ways = ["flat-rate.standard", "rates.std.ship", "gone.standard", None, "pickup.shop"]
    found = [handed_over(client, delivered(way)) for way in ways]

    assert found == [
        {"handover": "delivery", "delivery": "flat-rate/standard", "offered": 2},
        {"handover": "delivery", "delivery": "rates/std.ship", "offered": 2},
        {"handover": "delivery", "delivery": "rates/std.ship", "offered": 2},
        {"handover": "delivery", "delivery": "rates/std.ship", "offered": 2},
        {"handover": "pickup", "delivery": "", "offered": 0},
    ]


def test_a_carrier_without_a_quote_is_named(settings: Any) -> None:
    settings.DELIVERY_FLAT_RATE = {"US": Decimal("4.90")}
    settings.DELIVERY_BY_WEIGHT, settings.DELIVERY_SIMULATED = (), False
    settings.DELIVERY_TABLE = True
    add_product("MUG")

    checkout = Agent().checkout(("MUG", 1), fulfillment=delivered("flat-rate.standard"))

    told = [each["content"] for each in checkout["messages"] if each["code"] == "carrier_missing"]
    assert told == ["rates: It doesn't carry this to this address."]


@pytest.mark.parametrize(
    ("why", "code"),
    [(Why.LATE, "fulfillment_unavailable"), (Why.NOT_THERE, "address_undeliverable")],
)
def test_a_carrier_that_is_only_silent_may_deliver_there_later(
    why: Why, code: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DELIVERY_FLAT_RATE = {"US": Decimal("4.90")}
    found = Quotes(missing=(Missing("flat-rate", why),))
    monkeypatch.setattr("orders.agents.fulfillment.quotes_for", lambda **asked: found)
    add_product("MUG")

    checkout = Agent().checkout(("MUG", 1), fulfillment=delivered())

    assert [each["code"] for each in checkout["messages"]] == ["carrier_missing", code]
    assert checkout["status"] == "incomplete"


@pytest.mark.parametrize("fulfillment", [delivered(), {"methods": [{"type": "pickup"}]}])
def test_what_is_sold_out_is_told_once_and_nothing_of_its_delivery(
    settings: Any, fulfillment: dict[str, Any]
) -> None:
    settings.DELIVERY_FLAT_RATE = {"*": Decimal("4.90")}
    mug = add_product("MUG", stock=1)
    agent = Agent()
    checkout = agent.checkout(("MUG", 1), fulfillment=fulfillment)
    Stock.objects.filter(product=mug).update(available=0)

    _status, read = agent.send("GET", f"/checkout-sessions/{checkout['id']}")
    _status, completed = agent.complete(checkout)

    assert codes_of(read) == ["out_of_stock", "field_required"]
    assert codes_of(completed) == codes_of(read)


def test_what_is_sold_out_while_it_is_placed_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    mug = add_product("MUG", stock=1)
    agent = Agent()
    checkout = agent.checkout(("MUG", 1))
    place = completing.place_order

    def sold_meanwhile(request: Any) -> Any:
        Stock.objects.filter(product=mug).update(available=0)
        return place(request)

    monkeypatch.setattr(completing, "place_order", sold_meanwhile)
    _status, answer = agent.complete(checkout)

    assert codes_of(answer).count("out_of_stock") == 1
    assert not Order.objects.exists()


def test_an_empty_code_is_told_to_be_empty() -> None:
    add_product("MUG")
    checkout = Agent().checkout(("MUG", 1), discounts={"codes": ["", "NO-SUCH"]})

    told = [each["content"] for each in checkout["messages"] if each["path"].startswith("$.disc")]
    assert told == ["This code is empty.", "NO-SUCH: There is no voucher with this code."]


def test_a_person_is_told_that_a_checkout_was_cancelled(client: Any) -> None:
    add_product("MUG", stock=5)
    agent = Agent()
    gone = agent.checkout(("MUG", 1))
    agent.send("POST", f"/checkout-sessions/{gone['id']}/cancel")

    page = client.get(f"/checkout/agent/{gone['id']}/", follow=True)

    assert page.redirect_chain == [("/cart/", 302)]
    assert "What your assistant began has ended" in page.content.decode()
    assert client.get(f"/checkout/agent/{UUID(int=7)}/").status_code == 404


def test_a_completed_or_cancelled_checkout_does_not_change() -> None:
    add_product("MUG", stock=5)
    agent = Agent()
    done, gone = agent.checkout(("MUG", 1)), agent.checkout(("MUG", 1))
    agent.complete(done)
    _status, canceled = agent.send("POST", f"/checkout-sessions/{gone['id']}/cancel")

    changes = [
        agent.send(method, f"/checkout-sessions/{each['id']}{path}", {"line_items": []})[0]
        for each in (done, gone)
        for method, path in (("PUT", ""), ("POST", "/cancel"))
    ]

    assert canceled["status"] == "canceled"
    assert changes == [409, 409, 409, 409]
    assert Order.objects.count() == 1


def test_a_checkout_is_there_for_its_own_platform_only() -> None:
    add_product("MUG")
    checkout = Agent().checkout(("MUG", 1))
    other = Agent(profile="https://platform.test/signing")

    status, answer = other.send("GET", f"/checkout-sessions/{checkout['id']}")

    assert (status, answer["ucp"]["status"]) == (200, "error")
    assert codes_of(answer) == ["not_found"]


def test_what_is_sold_out_is_left_out_and_told() -> None:
    add_product("MUG", stock=0)
    add_product("TEA", stock=2)
    agent = Agent()

    mixed = agent.checkout(("MUG", 1), ("TEA", 5))
    status, none = agent.send("POST", "/checkout-sessions", {"line_items": lines(("MUG", 1))})

    assert [(each["id"], each["quantity"]) for each in mixed["line_items"]] == [("TEA", 2)]
    assert {"out_of_stock", "quantity_adjusted"} <= set(codes_of(mixed))
    assert (status, none["ucp"]["status"], codes_of(none)) == (200, "error", ["out_of_stock"])
    assert "id" not in none


def test_minor_units_follow_the_currency(settings: Any) -> None:
    settings.SHOP_CURRENCY = "JPY"
    add_product("MUG", price="1200.00")

    assert total_of(Agent().checkout(("MUG", 2))) == 2400
