from decimal import Decimal

import pytest
from django.db import connection, transaction

from notifications.models import WebhookDelivery, WebhookEndpoint
from notifications.webhooks.outbox import Event, tell
from project.jobs.queryset import PARKED
from tests.notifications.webhooks.receiver import KIND, endpoint_at, happened

pytestmark = pytest.mark.django_db
URL = "https://hooks.example/"


def test_each_endpoint_that_wants_the_event_gets_a_delivery_that_waits():
    wants = endpoint_at(URL)
    endpoint_at(URL, events=["order.paid"])

    [delivery] = happened()

    assert (delivery.endpoint, delivery.kind, delivery.ring_after) == (wants, KIND, PARKED)
    assert delivery.context["type"] == KIND
    assert delivery.context["data"] == {"id": "1", "name": "Ada"}
    assert delivery.context["timestamp"]


def test_a_thin_endpoint_gets_ids_only():
    endpoint_at(URL, is_thin=True)

    [delivery] = happened()

    assert delivery.context["data"] == {"id": "1"}


def test_a_paused_endpoint_gets_it_later_one_that_is_off_never():
    paused = endpoint_at(URL, status=WebhookEndpoint.Status.PAUSED)
    endpoint_at(URL, status=WebhookEndpoint.Status.OFF)

    [delivery] = happened()

    assert delivery.endpoint == paused


@pytest.mark.parametrize(
    ("filters", "is_wanted"),
    [
        ({"minimum": Decimal("20")}, True),
        ({"minimum": Decimal("20.01")}, False),
        ({"countries": ["DE", "AT"]}, True),
        ({"countries": ["FR"]}, False),
        ({"skus": ["MUG"]}, True),
        ({"skus": ["CUP"]}, False),
        ({"skus": ["MUG"], "countries": ["FR"]}, False),
    ],
)
def test_filters_keep_out_what_the_endpoint_doesnt_want(filters, is_wanted):
    endpoint_at(URL, **filters)

    found = happened(total=Decimal("20"), country="DE", skus=frozenset({"MUG", "PEN"}))

    assert len(found) == is_wanted


def test_an_event_that_nobody_wants_isnt_made():
    tell(KIND, lambda: pytest.fail("made"))

    assert not WebhookDelivery.objects.exists()


def test_an_event_that_is_rolled_back_leaves_no_delivery():
    endpoint_at(URL)

    with transaction.atomic():
        tell(KIND, lambda: Event(KIND, full={}, thin={}))
        assert WebhookDelivery.objects.count() == 1
        transaction.set_rollback(True)

    assert not WebhookDelivery.objects.exists()


def test_many_events_are_written_by_one_statement_in_their_order(django_assert_num_queries):
    endpoint_at(URL)

    with django_assert_num_queries(2):
        tell(KIND, lambda: [Event(KIND, full={"n": n}, thin={}) for n in range(50)])

    written = WebhookDelivery.objects.order_by("position").values_list("context", flat=True)
    assert [context["data"]["n"] for context in written] == list(range(50))


def test_deliveries_that_wait_are_found_by_their_index():
    endpoint_at(URL)
    happened(50)

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT id FROM notifications_webhookdelivery WHERE endpoint_id = 1"
            " AND status = 'queued' AND ring_after = %s ORDER BY position LIMIT 2",
            [PARKED],
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "webhookdelivery_waiting" in plan
