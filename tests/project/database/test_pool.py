"""The web's pool has connections again soon after an outage, however long that was."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.conf import settings
from psycopg_pool import ConnectionPool, PoolTimeout

from project.conf.database import POOL
from tests.project.gateway import Gateway, gateway_to

pytestmark = pytest.mark.slow

OUTAGE = 9.0
SOON = 3.0
POOLS_OWN = 300.0
"""Seconds for which psycopg's pool tries by itself, with pauses of 1, 2, 4, 8 … seconds."""


@contextmanager
def pool_through(gateway: Gateway, **changes: Any) -> Iterator[ConnectionPool[Any]]:
    account = settings.DATABASES["default"]
    host, port = gateway.server_address[:2]
    with ConnectionPool(
        f"host={host!s} port={port} dbname=postgres user={account['USER']}"
        f" password={account['PASSWORD']} connect_timeout=2",
        check=ConnectionPool.check_connection,
        **(POOL | changes),
    ) as pool:
        pool.wait()
        yield pool


def has_one(pool: ConnectionPool[Any], *, within: float) -> bool:
    """Tell whether a request gets a connection in time."""
    try:
        with pool.connection(timeout=within) as connection:
            connection.execute("SELECT 1")
    except (PoolTimeout, psycopg.OperationalError):
        return False
    return True


def comes_back_soon(**changes: Any) -> bool:
    """Tell whether one of the requests that keep coming has a connection soon after an outage."""
    account = settings.DATABASES["default"]
    with (
        gateway_to(f"postgres://{account['HOST']}:{account['PORT']}") as gateway,
        pool_through(gateway, **changes) as pool,
    ):
        gateway.cut()
        over = time.monotonic() + OUTAGE
        while time.monotonic() < over:
            assert not has_one(pool, within=0.5)
        gateway.mend()
        back = time.monotonic() + SOON
        while time.monotonic() < back:
            if has_one(pool, within=0.5):
                return True
        return False


def test_requests_have_connections_soon_after_an_outage() -> None:
    assert comes_back_soon()


def test_control_a_pool_that_tries_by_itself_has_none() -> None:
    assert not comes_back_soon(reconnect_timeout=POOLS_OWN)
