from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models.functions import Now

from notifications.models import WebhookDelivery, WebhookEndpoint
from notifications.models.webhook_pauses import PAUSES
from notifications.webhooks import admission
from notifications.webhooks.admission import (
    AT_ONCE,
    AWAY_AT_ONCE,
    PER_ENDPOINT,
    admit,
    admit_next,
)
from project.jobs.dispatch import ring
from project.jobs.queryset import PARKED, Status
from tests.notifications.webhooks.receiver import attempt, endpoint_at, happened, let_go

pytestmark = pytest.mark.django_db
URL = "https://hooks.example/"
HOUR = timedelta(hours=1)


def row(delivery: WebhookDelivery) -> Any:
    return WebhookDelivery.objects.filter(pk=delivery.pk)


def end(*deliveries: WebhookDelivery) -> None:
    keys = [each.pk for each in deliveries]
    WebhookDelivery.objects.filter(pk__in=keys).update(status=Status.DONE, finished_at=Now())


def test_the_relay_rings_what_admission_lets_go_and_no_more():
    endpoint_at(URL)
    found = happened(20)

    assert ring(WebhookDelivery) == [each.pk for each in found[:PER_ENDPOINT]]
    assert ring(WebhookDelivery) == []


def test_the_next_goes_when_one_has_ended():
    endpoint_at(URL)
    first, _second, third, _fourth = happened(4)
    let_go()

    end(first)

    assert let_go() == [third.pk]


def test_a_worker_goes_on_with_the_next_itself():
    endpoint = endpoint_at(URL)
    first, _second, third, _fourth = happened(4)
    let_go()
    end(first)

    assert admit_next(endpoint.pk) == third.pk
    assert admit_next(endpoint.pk) is None, "no place is free"
    assert third.pk not in ring(WebhookDelivery), "the worker claims it at once"


def test_an_orders_deliveries_go_one_after_the_other():
    endpoint_at(URL)
    placed, paid = happened(2, order_id=uuid4())

    assert let_go() == [placed.pk]
    assert let_go() == []
    end(placed)
    assert let_go() == [paid.pk]


def test_one_order_doesnt_wait_for_another():
    endpoint_at(URL)
    happened(2, order_id=uuid4())
    first, _second, other, _another = happened(2, order_id=uuid4())

    assert let_go() == [first.pk, other.pk]


def test_an_earlier_one_that_is_refused_is_waited_for_an_hour():
    endpoint_at(URL)
    placed, _paid = happened(2, order_id=uuid4())
    row(placed).update(run_after=Now() + HOUR, tried_at=Now() - HOUR + timedelta(minutes=1))

    assert let_go() == []


def test_then_the_next_goes_and_says_which_one_it_overtook():
    endpoint_at(URL)
    placed, paid = happened(2, order_id=uuid4())
    row(placed).update(run_after=Now() + HOUR, tried_at=Now() - HOUR - timedelta(minutes=1))

    assert let_go() == [paid.pk]
    paid.refresh_from_db()
    assert paid.overtook == placed.pk


def test_nothing_overtakes_one_that_is_due_or_at_an_endpoint_that_is_silent():
    endpoint = endpoint_at(URL)
    placed, _paid = happened(2, order_id=uuid4())
    row(placed).update(tried_at=Now() - 2 * HOUR)
    assert let_go() == [placed.pk]

    row(placed).update(ring_after=PARKED, run_after=Now() + HOUR)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failures=1, failing_since=Now())

    assert let_go() == []


def test_a_silent_endpoint_has_one_place_and_none_while_it_rests():
    silent = endpoint_at(URL)
    known = WebhookEndpoint.objects.filter(pk=silent.pk)
    happened(20)
    known.update(failures=1, failing_since=Now(), resting_until=Now() + HOUR)
    assert let_go() == []

    known.update(resting_until=Now())
    assert len(let_go()) == 1


def test_silent_endpoints_leave_places_for_the_others():
    for number in range(5):
        endpoint_at(URL, name=f"silent {number}", failures=1, failing_since=Now())
    well = endpoint_at(URL, name="well")
    happened(20)

    let_go()
    let_go()

    going = WebhookDelivery.objects.exclude(ring_after=PARKED)
    assert going.exclude(endpoint=well).count() == AWAY_AT_ONCE
    assert going.filter(endpoint=well).count() == PER_ENDPOINT
    assert going.count() <= AT_ONCE


def test_a_paused_endpoints_deliveries_wait_without_an_alarm():
    endpoint_at(URL, status=WebhookEndpoint.Status.PAUSED)
    happened(3)
    WebhookDelivery.objects.update(run_after=Now() - HOUR)

    assert let_go() == []
    assert WebhookDelivery.objects.longest_wait() == 0


def test_two_relays_let_no_more_go_than_one():
    endpoint_at(URL)
    happened(5)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [admission._LOCK])

        assert let_go() == [], "the other one is at it"
    finally:
        other.close()

    assert len(let_go()) == PER_ENDPOINT


def test_looking_costs_one_query_while_nothing_waits(django_assert_num_queries):
    endpoint_at(URL)

    with django_assert_num_queries(1):
        assert admit() == []


def test_a_pause_ends_by_the_retry_table(endpoint, receiver):
    receiver.answers = [500]
    delivery = attempt(happened()[0])

    assert let_go() == []
    assert delivery.started_at
    pause = delivery.run_after - delivery.started_at
    assert PAUSES[0] <= pause <= PAUSES[0] * 1.2 + timedelta(seconds=5)
    row(delivery).update(run_after=Now())
    assert let_go() == [delivery.pk]
