"""What a worker does when the broker doesn't answer its acknowledgement.

Kombu's Redis transport counts a message as unacknowledged until Redis has answered. If Redis is
frozen at that moment the count is never put right: with a prefetch of one the worker then waits
for ever, alive and deaf (seen with kombu 5.7 and a broker stopped for 15 s). Here the worker
forgets the message whatever Redis says. That loses nothing: who does a job is settled in its
row, not by the broker, and a second delivery of the same job has no second effect.
"""

from kombu.transport import redis as transport
from kombu.transport import virtual


class ForgetfulQoS(transport.QoS):
    """Counts what this worker holds by what it has acknowledged, not by what Redis confirmed."""

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge the message; it is forgotten even where the connection raises."""
        try:
            self._remove_from_indices(delivery_tag).execute()
        finally:
            virtual.QoS.ack(self, delivery_tag)


def install() -> None:
    """Have every Redis channel of this process count so."""
    transport.Channel.QoS = ForgetfulQoS
