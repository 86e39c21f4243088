"""The publisher: the relay's one connection to the broker, and the broker's health.

After any error the connection is closed, and the next call opens a new one: a pooled producer
whose connection died with the broker would fail again after the broker is back.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

from celery import Celery
from kombu.connection import Connection
from kombu.messaging import Producer

from project.jobs.model import Job

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 3.0
TRACEPARENT = "traceparent"
"""The message's header with the span of its ring; the task's request has it as an attribute."""


class BrokerDown(Exception):
    """The broker refused a request, or didn't answer within the settings' timeouts."""


@dataclass
class BrokerHealth:
    """The outcome of the last request to the broker; the relay's heartbeat stores it."""

    error: str = ""
    failing_since: float | None = None
    _clock: Callable[[], float] = field(default=time.monotonic, repr=False)

    @property
    def ok(self) -> bool:
        return self.failing_since is None

    def __str__(self) -> str:
        return "ok" if self.ok else f"{self.error} (for {self.down_for():.0f} s)"

    def succeeded(self) -> None:
        if not self.ok:
            logger.info("the broker is back")
        self.error, self.failing_since = "", None

    def failed(self, error: Exception) -> None:
        self.error = str(error) or type(error).__name__
        if self.failing_since is None:
            logger.warning("the broker can't be reached: %s", self.error)
            self.failing_since = self._clock()

    def down_for(self) -> float:
        """Seconds since the first failure; 0 while it works."""
        return 0.0 if self.failing_since is None else self._clock() - self.failing_since


class Publisher:
    """Publishes jobs. Every method may take some seconds, and raises BrokerDown on failure.

    Only one thread may use it at a time; during an outage that is the thread that reconnects.
    """

    def __init__(self, app: Celery) -> None:
        self.health = BrokerHealth()
        self._app = app
        self.connection: Connection | None = None
        self._producer: Producer | None = None

    def queue_length(self, queue: str) -> int:
        """Return the number of messages in the queue; this also checks that the broker answers."""
        with self._talk() as producer:
            bound = self._app.amqp.queues[queue](producer.channel)
            return int(bound.queue_declare().message_count)

    def publish(self, model: type[Job], *job_ids: UUID, traceparent: str = "") -> None:
        """Publish a message about these jobs, under the id of the first.

        `traceparent`: the span of the ring, to which those of the jobs link.

        Not by `send_task`, which prepares to read the result: it would also connect to the result
        backend, and make the rpc backend send every result to a queue of ours.
        """
        amqp = self._app.amqp
        message = amqp.create_task_message(str(job_ids[0]), model.task, args=[*map(str, job_ids)])
        if traceparent:
            message.headers[TRACEPARENT] = traceparent
        with self._talk() as producer:
            amqp.send_task_message(
                producer, model.task, message, queue=amqp.queues[model.queue], retry=False
            )

    def close(self) -> None:
        """Close the connection; errors are ignored."""
        connection, self.connection, self._producer = self.connection, None, None
        if connection is not None:
            with suppress(Exception):  # each transport has errors of its own
                connection.collect(socket_timeout=0.1)

    @contextmanager
    def _talk(self) -> Iterator[Producer]:
        try:
            yield self._producer or self._connect()
        except Exception as error:  # each transport has errors of its own
            self.close()
            self.health.failed(error)
            raise BrokerDown(str(error)) from error
        self.health.succeeded()

    def _connect(self) -> Producer:
        self.connection = self._app.connection_for_write()
        self.connection.ensure_connection(max_retries=1, interval_start=0, timeout=CONNECT_SECONDS)
        self._producer = self._app.amqp.Producer(self.connection.channel(), auto_declare=False)
        return self._producer
