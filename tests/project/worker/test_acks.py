"""A worker whose acknowledgement got no answer, on the embedded broker behind a gateway."""

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest
from kombu import Connection, Queue
from kombu.transport import redis as transport
from redis.exceptions import RedisError

from project.worker.acks import UnconfirmedQoS
from tests.project.gateway import Gateway, gateway_to

BROKER = os.environ["CELERY_BROKER_URL"]


@pytest.fixture
def way() -> Iterator[Gateway]:
    with gateway_to(BROKER) as gateway:
        yield gateway


def may_take_another_after_a_lost_ack(way: Gateway) -> bool:
    """Take one message of a prefetch of one, freeze the broker, acknowledge, thaw it."""
    options = {"socket_timeout": 0.3}
    with Connection(way.url, transport_options=options) as connection:
        channel = connection.channel()
        channel.basic_qos(0, 1, False)
        queue = Queue(f"acks-{uuid4()}", channel=channel)
        queue.declare()
        connection.Producer(channel).publish("first", routing_key=queue.name)
        message = queue.get()
        assert message is not None
        assert not channel.qos.can_consume()
        way.freeze()
        with pytest.raises(RedisError):
            message.ack()
        way.mend()
        queue.delete()
        return bool(channel.qos.can_consume())


def test_a_worker_whose_ack_was_lost_takes_the_next_message(way: Gateway) -> None:
    assert transport.Channel.QoS is UnconfirmedQoS

    assert may_take_another_after_a_lost_ack(way)


def test_control_with_kombus_own_count_it_would_wait_for_ever(way: Gateway, monkeypatch) -> None:
    monkeypatch.setattr(transport.Channel, "QoS", transport.QoS)

    assert not may_take_another_after_a_lost_ack(way)
