"""What a relay asks of parked messages costs the same however many there are."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from notifications.delivery import parked
from notifications.delivery.pausing import pause
from notifications.events import EVENTS
from notifications.models import OFFERS, ChannelState, Notification
from project.jobs.dispatch import bury, ring
from project.jobs.queryset import PARKED, Status

pytestmark = pytest.mark.django_db

TABLE = Notification._meta.db_table
MAX_BUFFERS = 200
"""Pages that one statement may read: each look has some dozens of rows of the catalogues, too."""


def park(count: int, *, event: str = "announcement", gateway: str = "email") -> None:
    """Let so many messages wait for their gateway, as a pause or a limit leaves them."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {TABLE} (id, kind, event, occasion, channel, recipient, language,"
            " context, status, ring_after, run_after, created_at, started_at, gateway, rings)"
            " SELECT gen_random_uuid(), %s, %s, '1', 'email', 'reader-' || n || '@example.org',"
            " 'en', '{}', 'queued', %s, now(), now(), now() - n * interval '1 ms', %s, 0"
            " FROM generate_series(1, %s) AS n",
            [f"{event}.email", event, PARKED, gateway, count],
        )


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {TABLE}")


def plans(function: Any, *arguments: Any) -> list[dict[str, Any]]:
    """Call it and return how PostgreSQL runs each of its statements about messages."""
    with CaptureQueriesContext(connection) as captured:
        function(*arguments)
    found = []
    with connection.cursor() as cursor:
        for query in captured.captured_queries:
            if TABLE in query["sql"]:
                cursor.execute("SAVEPOINT explain")
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query['sql']}")
                [[plan]] = cursor.fetchall()
                cursor.execute("ROLLBACK TO SAVEPOINT explain")
                found.append((plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"])
    return found


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def buffers(plan: dict[str, Any]) -> int:
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


def check_cheap(found: list[dict[str, Any]], *, at_least: int = 1) -> None:
    assert len(found) >= at_least
    for plan in found:
        scans = [node for node in nodes(plan) if node["Node Type"] == "Seq Scan"]
        assert not [node for node in scans if node["Relation Name"] == TABLE], plan
        assert buffers(plan) <= MAX_BUFFERS, plan


def test_offers_of_the_indexes_are_the_events_that_are_marketing() -> None:
    assert {name for name, event in EVENTS.items() if event.is_marketing} == set(OFFERS)


@pytest.mark.parametrize("count", [3000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_parked_messages_cost_nothing(settings: Any, count: int) -> None:
    """A paused channel, one at its limit, and the relay's own looks."""
    settings.EMAIL_PER_MINUTE = 60
    park(count)
    analyze()

    check_cheap(plans(ring, Notification))
    check_cheap(plans(bury, Notification))
    check_cheap(plans(parked.wake), at_least=4)

    ChannelState.objects.update_or_create(gateway="email")
    pause(ChannelState.objects.all(), by="ada", reason="Maintenance")
    check_cheap(plans(parked.wake), at_least=3)


@pytest.mark.parametrize("name", ["notification_parked_offer", "notification_lost_one"])
def test_control_without_the_index_all_that_is_parked_is_read(settings: Any, name: str) -> None:
    settings.EMAIL_PER_MINUTE = 60
    park(10_000)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {name}")
    analyze()

    look = parked.wake if name == "notification_parked_offer" else lambda: ring(Notification)
    with pytest.raises(AssertionError):
        check_cheap(plans(look))


def test_each_gateway_wakes_what_it_may_and_the_oldest_first(settings: Any) -> None:
    settings.SMS_URL = "https://one.example/sms https://two.example/sms"
    park(3, event="order_placed", gateway="sms:one.example")
    park(2, event="order_placed", gateway="sms:gone.example")
    park(4)
    ChannelState.objects.create(gateway="sms:one.example", paused_at=Now(), paused_by="ada")

    assert parked.wake() == 6

    waiting = Notification.objects.filter(ring_after=PARKED)
    assert set(waiting.values_list("gateway", flat=True)) == {"sms:one.example"}


def test_offers_wait_until_nothing_else_does(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parked, "WAKE_BATCH", 3)
    park(5)
    park(2, event="order_placed")

    assert parked.wake() == 3

    woken = Notification.objects.exclude(ring_after=PARKED).values_list("event", flat=True)
    assert sorted(woken) == ["announcement", "order_placed", "order_placed"]


def test_a_hopeless_message_waits_for_its_turn_beside_parked_ones() -> None:
    """The shortcut of the look, `lost > 0`, changes nothing of what it decides."""
    values: dict[str, Any] = {
        "order_id": uuid4(),
        "kind": "order_placed.email",
        "event": "order_placed",
        "channel": "email",
        "language": "en",
    }
    running = {"status": Status.RUNNING, "token": uuid4()}
    alive = Notification.objects.create(
        recipient="a@example.org",
        lost=2,
        ring_after=PARKED,
        lease_until=PARKED,
        **running,
        **values,
    )
    last = Notification.objects.create(recipient="b@example.org", lost=2, **values)
    first = Notification.objects.create(recipient="c@example.org", **values)

    assert ring(Notification) == [first.pk]
    Notification.objects.filter(pk=alive.pk).delete()
    Notification.objects.filter(pk=last.pk).update(ring_after=Now())
    assert ring(Notification) == [last.pk]
