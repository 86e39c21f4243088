"""The brokers that tests talk to: the run's Valkey, and a RabbitMQ where TEST_AMQP_URL names one.

RabbitMQ's queues have no database number that keeps test processes apart: whatever uses it is
marked `rabbitmq_alone`, and so runs in one process.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from celery import Celery

from project.conf.brokers import transport_options

VALKEY = os.environ["CELERY_BROKER_URL"]
RABBITMQ = os.environ.get("TEST_AMQP_URL", "")
QUEUES = ("notify", "media", "default", "control")

rabbitmq_alone = pytest.mark.xdist_group("workers")
without_rabbitmq = pytest.mark.skipif(not RABBITMQ, reason="TEST_AMQP_URL isn't set")
valkey_only = pytest.mark.parametrize("broker", ["valkey"], indirect=True)
"""For what a worker does whatever its broker: once is enough."""


def application(url: str) -> Celery:
    """Return Tandem's Celery application with another broker."""
    other = Celery("other", set_as_current=False)
    other.config_from_object("django.conf:settings", namespace="CELERY")
    # `broker_url` would lose against the environment.
    other.conf.broker_read_url = other.conf.broker_write_url = url
    other.conf.broker_transport_options = transport_options(url)
    return other


@contextmanager
def empty_queues(url: str) -> Iterator[None]:
    """Delete the broker's queues, now and at the end."""

    def delete() -> None:
        with application(url).connection_for_write() as connection:
            for queue in QUEUES:
                connection.default_channel.queue_delete(queue)

    delete()
    yield
    delete()
