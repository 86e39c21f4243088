"""A worker's acknowledgements, when the broker doesn't answer them.

Kombu's Redis transport counts a message as unacknowledged until Redis has answered. If Redis is
frozen at that moment the count is never corrected: with a prefetch of one the worker then waits
for ever and takes no message (seen with kombu 5.7 and a broker stopped for 15 s). Here the worker
drops the message from its count even without an answer. That loses nothing: a job's claim is in
its row, not in the broker, and a second delivery of the same job has no second effect.
"""

from kombu.transport import redis as transport
from kombu.transport import virtual


class UnconfirmedQoS(transport.QoS):
    """Counts a message as acknowledged once the worker has sent that, unconfirmed by Redis."""

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge the message; it is no longer counted even if the connection raises."""
        try:
            self._remove_from_indices(delivery_tag).execute()
        finally:
            virtual.QoS.ack(self, delivery_tag)


def install() -> None:
    """Use this count in every Redis channel of this process."""
    transport.Channel.QoS = UnconfirmedQoS
