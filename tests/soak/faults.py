"""The faults of the soak. Each takes some seconds and leaves its cause removed.

The shop isn't warned: the supervisor starts killed processes again, frozen ones are thawed, and
the shop must recover by itself.
"""

import os
import random
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import redis

from tests.live import LiveShop
from tests.soak.record import Disturbance, Record, now

Fault = Callable[[LiveShop], None]

EVERY = 20.0
"""Seconds from one fault's beginning to the next's, at least."""


def killed(name: str) -> Fault:
    return lambda shop: shop.kill(name, signal.SIGKILL)


def frozen(name: str, *, seconds: float) -> Fault:
    """SIGSTOP to the process and all its children, SIGCONT after so many seconds."""

    def freeze(shop: LiveShop) -> None:
        pids = [shop.pid(name), *children(shop.pid(name))]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            _pause(seconds)
        finally:
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGCONT)
                except ProcessLookupError:
                    pass  # the supervisor killed it meanwhile

    return freeze


def one_web_process_killed(shop: LiveShop) -> None:
    os.kill(random.choice(children(shop.pid("web"))), signal.SIGKILL)


def broker_flushed(shop: LiveShop) -> None:
    redis.Redis.from_url(shop.env["CELERY_BROKER_URL"]).flushall()


def hot_row_locked(shop: LiveShop) -> None:
    """Another session locks the stock row of the product that all shoppers order, for 5 s."""
    with psycopg.connect(shop.env["DATABASE_URL"]) as connection:
        connection.execute(
            "SELECT 1 FROM orders_stock JOIN orders_product ON id = product_id"
            " WHERE sku LIKE 'SOAK-HOT%' FOR UPDATE OF orders_stock"
        )
        _pause(5)


def connections_cut(shop: LiveShop) -> None:
    """Every connection to the database is ended at once, as a proxy's restart does."""
    with psycopg.connect(shop.env["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND usename = current_user"  # not PostgreSQL's own, such as autovacuum's
        )


FAULTS: dict[str, Fault] = {
    "web killed": killed("web"),
    "one web process killed": one_web_process_killed,
    "relay killed": killed("relay"),
    "notify worker killed": killed("notify"),
    "media worker killed": killed("media"),
    "default worker killed": killed("default"),
    "beat killed": killed("beat"),
    "mail and SMS server killed": killed("mailbox"),
    "mail and SMS server frozen 10 s": frozen("mailbox", seconds=10),
    "notify worker frozen 35 s": frozen("notify", seconds=35),
    "relay frozen 10 s": frozen("relay", seconds=10),
    "broker killed": killed("valkey"),
    "broker frozen 15 s": frozen("valkey", seconds=15),
    "broker flushed": broker_flushed,
    "database killed": killed("postgres"),
    "database connections cut": connections_cut,
    "hot row locked 5 s": hot_row_locked,
}


class FaultThread:
    """Every 20 seconds a fault, all kinds in a random order before any comes again."""

    def __init__(self, shop: LiveShop, record: Record, *, seed: int) -> None:
        self._shop = shop
        self._record = record
        self._random = random.Random(seed)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="faults")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Return when the current fault, if there is one, is over."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        deck: list[str] = []
        while not self._ending.wait(EVERY):
            if not deck:
                deck = self._random.sample(sorted(FAULTS), len(FAULTS))
            name = deck.pop()
            began = now()
            print(f"fault: {name}", flush=True)
            try:
                FAULTS[name](self._shop)
            except (AssertionError, psycopg.Error, redis.RedisError, OSError) as obstacle:
                # What it should break is still down from the last one: that is a fault as well.
                print(f"       not done: {obstacle}", flush=True)
                continue
            self._record.disturbances.append(Disturbance(name, began, now()))


def children(pid: int) -> list[int]:
    """Return the numbers of the process's children."""
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split()
    return [int(child) for child in listed if Path(f"/proc/{child}").exists()]


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)
