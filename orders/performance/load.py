"""The load: orders at a set rate, whatever the shop's answers take (an open loop).

An order's time is counted from the moment at which it was to be sent. If the shop stalls, the
orders that were due meanwhile have waited, as shoppers would have.
"""

import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit
from uuid import uuid4

from django.conf import settings
from django.db import connections

from orders.performance.tables import SKU
from orders.placing.synthetic import RUN_HEADER

THREADS = 64
"""So many orders may be under way at once; the next one is sent late, and counted as late."""
TIMEOUT = 10.0
"""Seconds for one answer."""
LOOK = 1.0
"""Seconds between two looks at what ends the run."""
MANY_ERRORS = 20
"""So many errors end the run, if they are more than the placed orders."""
PATH = "/api/v1/orders"


@dataclass(frozen=True)
class Plan:
    """What is sent: so many orders per second, for so many seconds, with the run's pass."""

    rate: int
    seconds: int
    run_pass: str
    url: str = field(default_factory=lambda: settings.PERFORMANCE_URL)

    @property
    def orders(self) -> int:
        """The number of orders: the run sends no more."""
        return self.rate * self.seconds


@dataclass
class Load:
    """What came of it. Times are seconds."""

    sent: int = 0
    times: list[float] = field(default_factory=list)
    """Those of the placed orders."""
    errors: Counter[str] = field(default_factory=Counter)
    took: float = 0.0
    """From the first order that was due to the last answer."""

    @property
    def has_too_many_errors(self) -> bool:
        failed = sum(self.errors.values())
        return failed >= MANY_ERRORS and failed > len(self.times)


class Sender:
    """Sends the orders of one plan from threads of its own; `run` returns when all have ended."""

    def __init__(self, plan: Plan, *, look: Callable[[Load], bool]) -> None:
        """Take the plan, and what is asked each second; the run ends once it says True."""
        self._plan = plan
        self._look = look
        self._load = Load()
        self._lock = threading.Lock()
        self._next = 0
        self._ending = threading.Event()
        self._begin = 0.0

    def run(self) -> Load:
        """Send all orders, or as many as are due until `look` ends it."""
        threads = [
            threading.Thread(target=self._send_all, name=f"performance-{number}", daemon=True)
            for number in range(min(THREADS, self._plan.orders))
        ]
        self._begin = time.monotonic()
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads):
                if self._ending.wait(LOOK):
                    break
                if self._look(self._load):
                    break
        finally:
            self._ending.set()
            for thread in threads:
                thread.join(2 * TIMEOUT)
        return self._load

    def _send_all(self) -> None:
        try:
            while (number := self._take()) is not None:
                due = self._begin + number / self._plan.rate
                if self._ending.wait(max(0.0, due - time.monotonic())):
                    return
                error = self._send()
                now = time.monotonic()
                with self._lock:
                    self._load.sent += 1
                    self._load.took = max(self._load.took, now - self._begin)
                    if error:
                        self._load.errors[error] += 1
                    else:
                        self._load.times.append(now - due)
        finally:
            connections.close_all()

    def _take(self) -> int | None:
        with self._lock:
            if self._next >= self._plan.orders or self._ending.is_set():
                return None
            self._next += 1
            return self._next - 1

    def _send(self) -> str:
        """Send one order; return what went wrong, in a few words, or nothing."""
        try:
            return post_order(self._plan)
        except TimeoutError:
            return "timeout"
        except (OSError, HTTPException) as error:
            return type(error).__name__


def post_order(plan: Plan) -> str:
    """Place one order; return the status and code of another answer than 201, else nothing.

    Each order has a connection of its own, as that of a shopper who has just come. Raises OSError
    and HTTPException.
    """
    site = urlsplit(settings.SITE_URL)
    connection = _connect(plan.url)
    try:
        connection.request(
            "POST",
            PATH,
            body=_BODY,
            headers={
                # By PERFORMANCE_URL it doesn't come through the proxy, which says these.
                "Host": site.netloc,
                "X-Forwarded-Proto": site.scheme,
                "Content-Type": "application/json",
                "Idempotency-Key": f"performance-{uuid4()}",
                RUN_HEADER: plan.run_pass,
            },
        )
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    return "" if answer.status == 201 else f"{answer.status} {_code(body)}".strip()


def _connect(url: str) -> HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return HTTPSConnection(parts.netloc, timeout=TIMEOUT, context=context)
    return HTTPConnection(parts.netloc, timeout=TIMEOUT)


def _code(body: bytes) -> str:
    try:
        return str(json.loads(body)["code"])[:40]
    except (ValueError, KeyError, TypeError):
        return ""


_BODY = json.dumps(
    {
        "name": "Performance Run",
        "email": "performance-run@example.org",  # an example's (RFC 2606); no message leaves
        "address": {
            "line1": "1 Long Street",
            "city": "Berlin",
            "postcode": "10115",
            "country": "DE",
        },
        "lines": [{"sku": SKU, "quantity": 1}],
    }
).encode()
