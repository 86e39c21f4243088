"""Webhooks to an endpoint that is killed, hangs, refuses, answers late; worker and relay die, too.

Each event is taken, an order's in their order, and a copy has the id of the first.
"""

import os
import secrets
import socket
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from notifications.models import WebhookDelivery, WebhookEndpoint
from notifications.webhooks.endpoint_secrets import new_secret, sealed
from notifications.webhooks.outbox import Event, listeners, write_deliveries
from project.celery import app
from project.jobs.queryset import OPEN, Status
from tests.concurrency.workers import PurgingPublisher, database_url, email, is_done, open_inbox
from tests.faults.hook_receiver import TAKES, HookReceiver, running_receiver
from tests.faults.supervised_workers import Supervised, supervised
from tests.live import wait_until

pytestmark = [
    pytest.mark.xdist_group("deaths"),
    pytest.mark.timeout(1800),
    pytest.mark.django_db(
        transaction=True,
        available_apps=["project", "notifications", "media_jobs", "django_celery_results"],
    ),
]
KIND = "order.placed"
STEPS = 5
"""Events of each order."""


@pytest.fixture(autouse=True)
def empty_queue() -> None:
    with closing(PurgingPublisher(app)) as publisher:
        publisher.empty("notify")


def tell(order_id: UUID, step: int) -> None:
    event = Event(KIND, {"order": str(order_id), "step": step}, {}, order_id=order_id)
    write_deliveries([event], listeners(KIND))


def write_events(count: int) -> set[tuple[str, int]]:
    """Write so many events, the steps of some orders one after the other; return all of them."""
    orders = [uuid4() for _number in range(count // STEPS)]
    for step in range(STEPS):
        found = listeners(KIND)
        events = [
            Event(KIND, {"order": str(each), "step": step}, {}, order_id=each) for each in orders
        ]
        write_deliveries(events, found)
    return {(str(each), step) for each in orders for step in range(STEPS)}


def endpoint(url: str) -> WebhookEndpoint:
    return WebhookEndpoint.objects.create(
        name="Warehouse", url=url, events=[KIND], secret=sealed(new_secret())
    )


def environment(**more: str) -> dict[str, str]:
    return {
        **more,
        "DATABASE_URL": database_url(),
        "CELERY_BROKER_URL": os.environ["CELERY_BROKER_URL"],
        "WEBHOOK_INSIDE": "127.0.0.0/8",
        "DJANGO_SETTINGS_MODULE": "project.settings",
    }


def started(stack: ExitStack, folder: Path, **variables: str) -> tuple[Supervised, Supervised]:
    """Start a worker and a relay, each started again when it dies; return them."""
    worker = stack.enter_context(
        supervised(
            "notify",
            folder=folder,
            environment=environment(**variables),
            application="tests.faults.hurried_workers",
            size=8,
        )
    )
    relay = Supervised(
        [sys.executable, "-m", "tests.faults.hurried_relay"],
        environment=environment(**variables),
        log=folder / "relay.log",
    )
    stack.callback(relay.stop)
    return worker, relay


def deliver_all(count: int, *, folder: Path, kills: int) -> HookReceiver:
    """Deliver so many events while all three processes are killed; return the receiver, stopped."""
    seed = secrets.randbelow(10_000)
    print(f"seed {seed}")  # pytest shows it if the test fails
    with running_receiver(folder, seed=seed) as receiver, ExitStack() as stack:
        endpoint(receiver.url)
        expected = write_events(count)
        worker, relay = started(stack, folder)
        for number in range(1, kills + 1):
            enough = number * count // (kills + 2)
            wait_until(
                lambda least=enough: len(receiver.came()) >= least, seconds=300, what=f"{enough}"
            )
            receiver.kill()
            if number % 4 == 0:
                worker.process.kill()
            if number % 5 == 0:
                relay.process.kill()
        wait_until(lambda: not still_open(), seconds=900, what="all deliveries have ended")
    assert violations(receiver, expected) == {}
    assert receiver.kills == kills
    return receiver


def still_open() -> bool:
    return WebhookDelivery.objects.filter(status__in=OPEN).exists()


def violations(receiver: HookReceiver, expected: set[tuple[str, int]]) -> dict[str, object]:
    """Return what is wrong with the outcome, by its name; nothing is right."""
    came = receiver.came()
    ids: dict[tuple[str, int], set[str]] = defaultdict(set)
    taken: dict[str, list[int]] = defaultdict(list)
    for met in came:
        ids[met.order, met.step].add(met.id)
        # A copy of one that had been taken is known by its id, as receivers must.
        if met.behaviour == TAKES and met.step not in taken[met.order]:
            taken[met.order].append(met.step)
    overtook = WebhookDelivery.objects.exclude(overtook=None)
    found = {
        "not done": WebhookDelivery.objects.exclude(status=Status.DONE).count(),
        "lost": {key for key in expected if key not in ids or key[1] not in taken[key[0]]},
        "out of order": {order for order, steps in taken.items() if steps != sorted(steps)},
        "two ids": {key for key, each in ids.items() if len(each) > 1},
        "overtook": overtook.count(),
    }
    return {what: wrong for what, wrong in found.items() if wrong}


def test_events_reach_an_endpoint_that_dies_while_worker_and_relay_die_too(tmp_path: Path) -> None:
    deliver_all(500, folder=tmp_path, kills=5)


@pytest.mark.slow
def test_10000_events_reach_an_endpoint_that_is_killed_twenty_times(tmp_path: Path) -> None:
    deliver_all(10_000, folder=tmp_path, kills=20)


def shop(write: Callable[[UUID], None], *, events: int) -> set[str]:
    """Let a shop that dies now and then write orders' rows and their events; return its orders.

    A row of `project_sweep` stands for an order: what matters is what is committed with it.
    """
    for number in range(events):
        try:
            write(UUID(int=number))
        except _Died:
            continue
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM project_sweep WHERE name LIKE 'order-%'")
        return {row[0].removeprefix("order-") for row in cursor.fetchall()}


class _Died(Exception):
    pass


def _order(order_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO project_sweep (name) VALUES (%s)", [f"order-{order_id}"])


def _die(order_id: UUID) -> None:
    if order_id.int % 10 == 3:
        raise _Died


def told_orders() -> set[str]:
    return {str(each) for each in WebhookDelivery.objects.values_list("order_id", flat=True)}


def test_what_dies_between_order_and_event_loses_no_event_for_both_are_one_transaction() -> None:
    endpoint("https://hooks.example/")

    def write(order_id: UUID) -> None:
        with transaction.atomic():
            _order(order_id)
            _die(order_id)
            tell(order_id, 0)

    orders = shop(write, events=50)

    assert len(orders) == 45
    assert told_orders() == orders


def test_control_without_the_transaction_some_events_are_lost() -> None:
    endpoint("https://hooks.example/")

    def write(order_id: UUID) -> None:
        _order(order_id)
        _die(order_id)
        tell(order_id, 0)

    orders = shop(write, events=50)

    assert len(orders) == 50
    assert len(orders - told_orders()) == 5


@contextmanager
def listening_silently() -> Iterator[str]:
    """A port that takes connections and never answers; yields its URL."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/hooks"


def test_an_endpoint_that_hangs_costs_messages_and_other_endpoints_nothing(tmp_path: Path) -> None:
    """Ten thousand wait for it; meanwhile a hundred reach another one, and e-mails are sent."""
    with (
        running_receiver(tmp_path, seed=1) as receiver,
        listening_silently() as silent,
        open_inbox() as inbox,
        ExitStack() as stack,
    ):
        endpoint(silent)
        write_events(10_000)
        WebhookEndpoint.objects.update(events=[])
        well = endpoint(receiver.url)
        expected = write_events(100)
        messages = [email() for _number in range(20)]
        started(stack, tmp_path, EMAIL_URL=inbox.url)
        theirs = WebhookDelivery.objects.filter(endpoint=well)

        wait_until(
            lambda: not theirs.filter(status__in=OPEN).exists(), seconds=120, what="the other one"
        )
        wait_until(lambda: all(map(is_done, messages)), seconds=120, what="e-mails are sent")

    of_silent = WebhookDelivery.objects.exclude(endpoint=well)
    assert theirs.filter(status=Status.DONE).count() == len(expected)
    assert of_silent.filter(status__in=OPEN).count() == 10_000
    assert of_silent.exclude(attempts=0).count() < 100, "it is asked rarely"
