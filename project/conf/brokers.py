"""Settings of a broker or result backend, by the kind in its URL.

Every wait has a timeout: a broker that hangs must look like one that refuses.
"""

from typing import Any
from urllib.parse import urlsplit

REDIS_SCHEMES = {"redis", "rediss", "valkey", "valkeys"}
AMQP_SCHEMES = {"amqp", "amqps", "pyamqp"}


def transport_options(broker_url: str) -> dict[str, Any]:
    """Return Celery's `broker_transport_options` for this broker."""
    scheme = urlsplit(broker_url).scheme
    if scheme in REDIS_SCHEMES:
        return {
            "socket_timeout": 5.0,
            "socket_connect_timeout": 3.0,
            "socket_keepalive": True,
            # A worker notices a silent connection after twice this time.
            "health_check_interval": 10,
        }
    if scheme in AMQP_SCHEMES:
        return {
            "read_timeout": 5,
            "write_timeout": 5,
            # Without it, a message that RabbitMQ has not accepted counts as published.
            "confirm_publish": True,
        }
    return {}
