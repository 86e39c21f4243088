"""Three shoppers with keys: they order, read, repeat and cancel, and note each call and answer.

Each has a place in the clients' network and a random generator of its own. Who gets no clear answer
sends the same order again under the same key, as a good client does.
"""

import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from types import TracebackType
from typing import Any, Self

import httpx

from tests.cluster.history import CANCEL, CANCELLED, PLACE, READ, REPEAT, History, Operation
from tests.cluster.network import Machine
from tests.cluster.shop import HOST, PROXY
from tests.live import wait_until

CLIENTS = 3
TIMEOUT = 20.0
"""Seconds that a shopper waits for an answer."""
PATIENCE = 120.0
"""Seconds after which a shopper sends an order without a clear answer no more."""
PAUSE = 0.12
"""Seconds between two calls, on average."""
CLEAR = (200, 201, 409)
_TOKEN = secrets.token_hex(16)
"""A CSRF token that a client chose itself: its cookie and its header are the same."""


class Clients:
    """They shop for the length of the block. `history` has all that they were answered."""

    def __init__(self, place: Machine, skus: list[str], *, seed: int) -> None:
        self.history = History()
        self.statuses: list[int] = []
        """The status of every answer; 0: there was none."""
        self._over = threading.Event()
        self._open = threading.Event()
        self._open.set()
        self._busy = [threading.Lock() for _ in range(CLIENTS)]
        """Each is held while its client waits for an answer."""
        self._failed: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._shop, args=(place, skus, seed, number))
            for number in range(CLIENTS)
        ]

    def placed(self, *, since: int = 0) -> list[Operation]:
        """Return the answers to orders that were begun after this moment of the history."""
        began: dict[str, int] = {}
        found = []
        for each in list(self.history.operations):
            if each.call == PLACE and each.type == "invoke":
                began[each.key] = each.time
            elif each.call == PLACE and each.type == "ok" and began[each.key] >= since:
                found.append(each)
        return found

    def wait_for_orders(self, more: int, *, since: int, seconds: float) -> float:
        """Return the seconds until so many orders that were begun since then have been answered."""
        wait_until(
            lambda: self._failed or len(self.placed(since=since)) >= more,
            seconds=seconds,
            what=f"{more} orders are answered",
        )
        assert not self._failed, self._failed
        return (self.placed(since=since)[more - 1].time - since) / 1e9

    def longest_pause(self, *, since: int) -> float:
        """Return the most seconds since then in which no order was answered."""
        answered = [each.time for each in self.placed() if each.time >= since]
        moments = [since, *answered, self.history.now()]
        return max(later - sooner for sooner, later in pairwise(moments)) / 1e9

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let nobody ask for anything for the length of the block; wait for the open answers."""
        self._open.clear()
        with ExitStack() as held:
            for busy in self._busy:
                held.enter_context(busy)
            yield
            self._open.set()

    def _shop(self, place: Machine, skus: list[str], seed: int, number: int) -> None:
        dice = random.Random(seed * 1000 + number)
        try:
            with place.inside(), httpx.Client(timeout=TIMEOUT, trust_env=False) as http:
                client = Client(http, self.history, dice, number, self.statuses, self._over)
                while not self._over.wait(dice.uniform(0, 2 * PAUSE)):
                    self._open.wait()
                    with self._busy[number]:
                        client.act(skus)
        except BaseException as error:
            self._failed.append(error)
            raise

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._open.set()
        for thread in self._threads:
            thread.join()
        assert not self._failed, self._failed


class Client:
    """One shopper. An operation of unknown end is the last of its process, as Elle has it."""

    def __init__(
        self,
        http: httpx.Client,
        history: History,
        dice: random.Random,
        number: int,
        statuses: list[int],
        over: threading.Event,
    ) -> None:
        self._http = http
        self._history = history
        self._dice = dice
        self._process = number
        self._statuses = statuses
        self._over = over
        self._mine: dict[str, tuple[str, dict[str, int]]] = {}
        """The id and the lines of each order that was answered, by key."""
        self._asked_back: set[str] = set()

    def act(self, skus: list[str]) -> None:
        """Do one thing: mostly order."""
        choice = self._dice.random()
        if not self._mine or choice < 0.6:
            self._place(self._dice.choice(skus))
        elif choice < 0.8:
            self._read(self._any())
        elif choice < 0.9:
            self._repeat(self._any())
        else:
            self._cancel(self._any())

    def _any(self) -> str:
        return self._dice.choice(list(self._mine))

    def _place(self, sku: str) -> None:
        key, lines = f"cluster-{secrets.token_hex(8)}", {sku: self._dice.randint(1, 3)}
        self._note("invoke", PLACE, key, lines=lines)
        began, attempts, answer = time.monotonic(), 0, None
        while time.monotonic() - began < PATIENCE:
            attempts += 1
            answer = self._send(lambda: self._order(key, lines))
            if answer is not None and answer.status_code in CLEAR:
                break
            if self._over.wait(0.2) and attempts > 1:
                break
        if answer is not None and answer.status_code in (200, 201):
            order = answer.json()["id"]
            self._mine[key] = (order, lines)
            status = answer.json()["status"]
            self._note("ok", PLACE, key, lines=lines, order=order, status=status)
        elif answer is not None and answer.status_code == 409 and attempts == 1:
            self._note("fail", PLACE, key, lines=lines)
        else:
            # An attempt without an answer may still be on its way, whatever a later one is told.
            self._note("info", PLACE, key, lines=lines)

    def _repeat(self, key: str) -> None:
        lines = self._mine[key][1]
        self._note("invoke", REPEAT, key)
        answer = self._send(lambda: self._order(key, lines))
        if answer is None or answer.status_code not in (200, 201):
            self._note("info", REPEAT, key)
        else:
            body = answer.json()
            self._note("ok", REPEAT, key, order=body["id"], status=body["status"])

    def _read(self, key: str) -> str:
        self._note("invoke", READ, key)
        status = self._status_of(key)
        self._note("ok" if status else "info", READ, key, status=status)
        return status

    def _cancel(self, key: str) -> None:
        if key in self._asked_back:
            return
        self._asked_back.add(key)
        self._note("invoke", CANCEL, key)
        answer = self._send(
            lambda: self._http.post(
                f"http://{PROXY}/orders/{self._mine[key][0]}/cancel/",
                headers={
                    "Host": HOST,
                    "Origin": f"https://{HOST}",
                    "Cookie": f"csrftoken={_TOKEN}",
                    "X-CSRFToken": _TOKEN,
                },
            )
        )
        # The page leads back to the order whether it could be cancelled or not.
        if answer is not None and answer.status_code == 302 and self._status_of(key) == CANCELLED:
            self._note("ok", CANCEL, key, status=CANCELLED)
        else:
            self._note("info", CANCEL, key)

    def _status_of(self, key: str) -> str:
        """Return the order's status; "unknown" where there is none, "" without an answer."""
        path = f"/api/v1/orders/{self._mine[key][0]}"
        answer = self._send(lambda: self._http.get(f"http://{PROXY}{path}", headers={"Host": HOST}))
        if answer is None or answer.status_code not in (200, 404):
            return ""
        status: str = answer.json()["status"] if answer.status_code == 200 else "unknown"
        return status

    def _order(self, key: str, lines: dict[str, int]) -> httpx.Response:
        body: dict[str, Any] = {
            "name": key,
            "email": f"{key}@example.org",
            "lines": [{"sku": sku, "quantity": units} for sku, units in lines.items()],
        }
        return self._http.post(
            f"http://{PROXY}/api/v1/orders",
            json=body,
            headers={"Host": HOST, "Idempotency-Key": key},
        )

    def _send(self, request: Callable[[], httpx.Response]) -> httpx.Response | None:
        try:
            answer = request()
        except httpx.TransportError:
            self._statuses.append(0)
            return None
        self._statuses.append(answer.status_code)
        return answer

    def _note(self, kind: str, call: str, key: str, **more: Any) -> None:
        self._history.add(kind, self._process, call, key, **more)
        if kind == "info":
            self._process += CLIENTS
