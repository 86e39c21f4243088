"""What the settings say of a broker or result backend, by the kind that its URL names.

Every wait is bounded: a broker that hangs must look like one that refuses.
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
            # A worker whose connection went silent notices after twice this time.
            "health_check_interval": 10,
        }
    if scheme in AMQP_SCHEMES:
        return {
            "read_timeout": 5,
            "write_timeout": 5,
            # Else a message that RabbitMQ could not take, or not yet, counts as published.
            "confirm_publish": True,
        }
    return {}
