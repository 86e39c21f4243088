"""Order events: the whole order, for the platform's own address, signed by the shop's key."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.test import Client

from notifications.models import WebhookDelivery, WebhookEndpoint
from notifications.webhooks.signing import Request, add_identity
from notifications.webhooks.wellbeing import switch_off
from orders.agents.checkouts import KEEP, KEEP_ORDERED
from orders.agents.errors import ProtocolError
from orders.agents.local_platforms import platform
from orders.agents.order_events import event_address, event_body, sign_event
from orders.agents.platforms import know
from orders.agents.signing import own_keys, verify
from orders.agents.versions import ORDER
from orders.lifecycle.refunds import refund
from orders.models import AgentCheckout, Order
from project.schedule.prune import prune
from tests.agents.agent import Agent
from tests.factories import add_product, make_order

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers", "local"),
]
ADDRESS = "https://platform.example.com/events?channel=7"


def told(document: dict[str, Any]) -> str:
    return event_address(know("https://platform.example.com/profile", document))


def test_events_go_where_the_profile_says_and_nowhere_else() -> None:
    document = platform()
    assert told(document) == ""

    for url, expected in ((ADDRESS, ADDRESS), ("http://platform.example.com/events", "")):
        document["ucp"]["capabilities"][ORDER][0]["config"] = {"webhook_url": url}
        assert told(document) == expected


def test_an_event_is_the_whole_order_as_it_is_now() -> None:
    add_product("MUG", stock=5, price="9.90")
    agent = Agent()
    _status, completed = agent.complete(agent.checkout(("MUG", 2)))
    order = Order.objects.get(pk=completed["order"]["id"])

    refund(order_id=order.pk, refund_id=uuid4(), restock=True, lines={"MUG": 1}, reason="Broken")
    order.refresh_from_db()
    body = event_body(order)

    assert body == agent.send("GET", f"/orders/{order.pk}")[1]
    assert body is not None
    (adjustment,) = body["adjustments"]
    assert (adjustment["type"], adjustment["totals"][0]["amount"]) == ("refund", -990)
    assert adjustment["line_items"] == [{"id": "MUG", "quantity": -1}]
    assert body["line_items"][0]["quantity"] == {"original": 2, "total": 1, "fulfilled": 0}


def test_each_event_of_an_agents_order_is_written_in_its_transaction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_product("MUG", stock=5, price="9.90")
    document = platform()
    document["ucp"]["capabilities"][ORDER][0]["config"] = {"webhook_url": ADDRESS}
    profile = "https://platform.example.com/profile"
    know(profile, document)
    agent = Agent(profile=profile)
    _status, completed = agent.complete(agent.checkout(("MUG", 2)))
    Agent().complete(Agent().checkout(("MUG", 1)))  # its platform wants no events

    refund(order_id=completed["order"]["id"], refund_id=uuid4(), restock=True)

    deliveries = WebhookDelivery.objects.order_by("position")
    assert {each.endpoint.url for each in deliveries} == {ADDRESS}
    assert {str(each.order_id) for each in deliveries} == {completed["order"]["id"]}
    assert [each.kind for each in deliveries] == [
        "order.placed",
        "refund.owed",
    ]


def test_to_an_address_that_is_gone_nothing_is_written() -> None:
    add_product("MUG", stock=5)
    document = platform()
    document["ucp"]["capabilities"][ORDER][0]["config"] = {"webhook_url": ADDRESS}
    profile = "https://platform.example.com/profile"
    know(profile, document)
    agent = Agent(profile=profile)
    _status, completed = agent.complete(agent.checkout(("MUG", 2)))
    switch_off(WebhookEndpoint.objects.get(), reason="410 Gone")

    refund(order_id=completed["order"]["id"], refund_id=uuid4(), restock=True)

    [delivery] = WebhookDelivery.objects.all()
    assert (delivery.kind, delivery.status) == ("order.placed", "cancelled")


def test_a_platform_hears_of_an_order_for_longer_than_other_checkouts_are_kept() -> None:
    add_product("MUG", stock=5)
    agent = Agent()
    agent.complete(agent.checkout(("MUG", 1)))
    unfinished = agent.checkout(("MUG", 1))
    checkouts, order = AgentCheckout.objects.all(), Order.objects.get()

    checkouts.update(changed_at=Now() - KEEP - timedelta(hours=1))
    prune()

    assert not checkouts.filter(pk=unfinished["id"]).exists()
    assert event_body(order) is not None

    checkouts.update(changed_at=Now() - KEEP_ORDERED - timedelta(hours=1))
    prune()

    assert not checkouts.exists()


def test_an_order_of_people_has_no_event_for_agents() -> None:
    assert event_body(make_order(add_product("MUG"))) is None


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://Platform.Example.com:443/events", "platform.example.com"),
        ("https://platform.example.com:8443/events", "platform.example.com:8443"),
        ("http://[::1]:80/events", "[::1]"),
    ],
)
def test_an_event_is_signed_for_the_host_that_its_receiver_reads(address: str, host: str) -> None:
    request = Request(url=address, body=b"{}", headers={"Content-Type": "application/json"})
    add_identity(request, message_id=str(uuid4()), at=datetime(2026, 1, 1, tzinfo=UTC))
    sign_event(WebhookEndpoint(), request, datetime(2026, 1, 1, tzinfo=UTC))
    headers = {name.lower(): value for name, value in request.headers.items()}
    derived = {"@method": "POST", "@authority": host, "@path": "/events"}
    keys: list[Any] = [key.jwk for key in own_keys()]

    verify(headers=headers, derived=derived, body=b"{}", keys=keys, needed=[*derived])


def test_an_event_verifies_by_the_published_key_and_not_if_anything_of_it_was_changed() -> None:
    body = json.dumps({"id": "order"}).encode()
    request = Request(url=ADDRESS, body=body, headers={"Content-Type": "application/json"})
    add_identity(request, message_id=str(uuid4()), at=datetime(2026, 1, 1, tzinfo=UTC))
    sign_event(WebhookEndpoint(), request, datetime(2026, 1, 1, tzinfo=UTC))
    headers = {name.lower(): value for name, value in request.headers.items()}
    keys = Client().get("/.well-known/ucp").json()["signing_keys"]
    url = urlsplit(ADDRESS)
    derived = {
        "@method": "POST",
        "@authority": url.netloc,
        "@path": url.path,
        "@query": f"?{url.query}",
    }
    needed = [*derived, "ucp-agent", "idempotency-key", "content-digest", "content-type"]

    verify(headers=headers, derived=derived, body=body, keys=keys, needed=needed)
    changed: list[dict[str, Any]] = [
        {"body": b"{}"},
        {"derived": {**derived, "@path": "/other"}},
        {"headers": {**headers, "idempotency-key": "another"}},
        {"keys": []},
    ]
    for change in changed:
        sent: dict[str, Any] = {
            "headers": headers,
            "derived": derived,
            "body": body,
            "keys": keys,
            "needed": needed,
        }
        with pytest.raises(ProtocolError):
            verify(**{**sent, **change})
