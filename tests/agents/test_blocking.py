"""A platform that an operator has blocked: nothing new of it, and its orders stay."""

from typing import Any

import pytest
from django.db import IntegrityError
from django.db.models.functions import Now

from orders.agents import operations
from orders.agents.blocking import block, let_in
from orders.agents.platforms import KEEP, forgotten_platforms
from orders.models import AgentAnswer, AgentCart, AgentCheckout, AgentPlatform, Order
from tests.agents.agent import BUYER, PROFILE, Agent, lines, paying
from tests.agents.mcp_calls import call, content
from tests.factories import add_product

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers", "local"),
]
REASON = "It orders what nobody pays."


def block_it(profile: str = PROFILE) -> None:
    platforms = AgentPlatform.objects.filter(profile_url=profile)
    assert block(list(platforms.values_list("pk", flat=True)), reason=REASON) == 1


def each_request(cart: str, checkout: str) -> list[tuple[str, str, Any]]:
    """Return every request of carts and checkouts."""
    wanted = {"line_items": lines(("MUG", 1)), "buyer": BUYER}
    return [
        ("POST", "/carts", wanted),
        ("GET", f"/carts/{cart}", None),
        ("PUT", f"/carts/{cart}", wanted),
        ("POST", f"/carts/{cart}/cancel", None),
        ("POST", "/checkout-sessions", wanted),
        ("GET", f"/checkout-sessions/{checkout}", None),
        ("PUT", f"/checkout-sessions/{checkout}", wanted),
        ("POST", f"/checkout-sessions/{checkout}/complete", paying()),
        ("POST", f"/checkout-sessions/{checkout}/cancel", None),
    ]


def test_a_blocked_platform_gets_neither_carts_nor_checkouts_nor_orders() -> None:
    add_product("MUG", stock=5)
    agent = Agent()
    cart = agent.send("POST", "/carts", {"line_items": lines(("MUG", 1))})[1]["id"]
    checkout = agent.checkout(("MUG", 1))["id"]
    block_it()

    answers = [agent.send(*request) for request in each_request(cart, checkout)]

    assert {status for status, _body in answers} == {403}
    for _status, body in answers:
        assert body["code"] == "platform_blocked"
        [message] = body["messages"]
        assert (message["type"], message["severity"]) == ("error", "unrecoverable")
        assert REASON not in str(body)
    assert (Order.objects.count(), AgentCart.objects.count()) == (0, 1)
    assert AgentCheckout.objects.get().stage == AgentCheckout.Stage.OPEN


def test_over_mcp_it_is_told_the_same() -> None:
    add_product("MUG", stock=5)
    made = content(call("create_checkout", checkout={"line_items": lines(("MUG", 1))}))
    block_it()

    answers = [
        call("create_cart", cart={"line_items": lines(("MUG", 1))}),
        call("get_checkout", id=made["id"]),
        call("complete_checkout", id=made["id"], checkout=paying()),
    ]

    assert {answer["error"]["code"] for answer in answers} == {-32000}
    assert {answer["error"]["data"]["code"] for answer in answers} == {"platform_blocked"}


def test_control_without_the_guard_a_blocked_platform_orders(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_product("MUG", stock=5)
    agent = Agent()
    checkout = agent.checkout(("MUG", 1))
    block_it()
    monkeypatch.setattr(operations, "refuse_blocked", lambda *_any: None)

    assert agent.complete(checkout)[0] == 200
    assert Order.objects.count() == 1


def test_it_still_reads_the_catalogue_and_follows_what_it_ordered() -> None:
    add_product("MUG", stock=5)
    agent = Agent()
    order = agent.complete(agent.checkout(("MUG", 1)))[1]["order"]["id"]
    block_it()

    found = agent.send("POST", "/catalog/search", {"query": "mug"})
    read = agent.send("GET", f"/orders/{order}")

    assert (found[0], read[0], read[1]["id"]) == (200, 200, order)


def test_other_platforms_shop_on() -> None:
    add_product("MUG", stock=5)
    Agent().checkout(("MUG", 1))
    block_it()

    other = Agent(profile="https://platform.test/signing")

    assert other.complete(other.checkout(("MUG", 1)))[1]["status"] == "completed"


def test_one_that_is_let_in_again_goes_on_under_the_same_key() -> None:
    add_product("MUG", stock=5)
    agent = Agent()
    checkout = agent.checkout(("MUG", 1))
    block_it()
    refused = agent.complete(checkout, key="the key of this order")
    kept = AgentAnswer.objects.filter(status=403).exists()

    assert let_in(list(AgentPlatform.objects.values_list("pk", flat=True))) == 1
    status, completed = agent.complete(checkout, key="the key of this order")

    assert (refused[0], kept) == (403, False)
    assert (status, completed["status"]) == (200, "completed")


def test_a_blocked_platform_is_never_forgotten() -> None:
    for name in ("blocked", "gone"):
        AgentPlatform.objects.create(
            profile_url=f"https://{name}.example/", used_at=Now() - 2 * KEEP
        )
    block_it("https://blocked.example/")

    assert [each.profile_url for each in forgotten_platforms()] == ["https://gone.example/"]


@pytest.mark.parametrize("row", [{"blocked_at": Now()}, {"block_reason": REASON}])
def test_no_platform_is_blocked_without_a_reason(row: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match="agent_platform_blocked_with_a_reason"):
        AgentPlatform.objects.create(profile_url="https://x.example/", **row)
