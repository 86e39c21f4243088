"""kill -9 of the web process at every step of placing: one order a key, stock and sales once.

The crashes come one after the other while the relay is frozen, so what each leaves behind stays
to be seen: that is the control. Then the relay goes on, and its sweep has a minute.
"""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.concurrency.rush import Books, new_key
from tests.faults.drift import drift
from tests.faults.steps import Step
from tests.faults.web import Web
from tests.live import LiveShop, wait_until

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(240)]

PLACED_BEFORE = {Step.ONLY_STOCK, Step.BEFORE_ANSWER}
"""Where the order was there when the process died."""
HALF_DONE = {Step.ONLY_STOCK, Step.ONLY_SALES, Step.BEFORE_SETTLE}
"""Where only a settle makes sales right."""


class DyingWeb(Web):
    """A web process of the live shop's that dies on demand; gunicorn starts it again."""

    def __init__(self, shop: LiveShop, *, crash_at: Path) -> None:
        super().__init__(shop, "tests.faults.failpoints", CRASH_AT=str(crash_at))
        self._crash_at = crash_at

    def crash(self, step: Step, sku: str, keys: list[str]) -> None:
        """Send orders with these keys at once; return when the process has died at the step."""
        self._crash_at.write_text(step)
        with ThreadPoolExecutor(len(keys)) as shoppers:
            answers = list(shoppers.map(lambda key: self.order(sku, key, quantity=2), keys))
        assert None in answers, f"it didn't die {step}"
        assert not self._crash_at.exists()


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@dataclass
class Wreck:
    """What a crash left, and what a repeat of each of its keys was told after it."""

    sku: str
    drift: list[str]
    repeats: list[httpx.Response | None]


@dataclass
class Wrecks:
    by_step: dict[Step, Wreck]
    seconds_to_mend: float


@pytest.fixture(scope="module")
def wrecks(live_shop: LiveShop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wrecks]:
    """Crash at every step, let the relay mend what is left, keep what was seen."""
    crash_at = tmp_path_factory.mktemp("failpoints") / "crash_at"
    with (
        closing(Books(live_shop)) as books,
        closing(DyingWeb(live_shop, crash_at=crash_at)) as web,
    ):
        with frozen(live_shop.pid("relay")):
            by_step = {step: wreck(web, books, step) for step in Step}
            thawed = time.monotonic()
        wait_until(lambda: not drift(books), seconds=60, what="everything agrees again")
        yield Wrecks(by_step, time.monotonic() - thawed)


def wreck(web: DyingWeb, books: Books, step: Step) -> Wreck:
    refused = step is Step.BEFORE_SETTLE
    # To be refused after the look at the stock takes two orders for what is enough for one.
    sku = books.add_product(stock=2 if refused else 100)
    keys = [new_key() for _ in range(2 if refused else 1)]
    before = set(drift(books))
    web.crash(step, sku, keys)
    left = sorted(set(drift(books)) - before)
    return Wreck(sku, left, [web.order(sku, key, quantity=2) for key in keys])


@pytest.mark.parametrize("step", Step)
def test_a_repeat_after_the_crash_gets_one_order(wrecks: Wrecks, books: Books, step: Step) -> None:
    wreck = wrecks.by_step[step]

    told = sorted(
        (answer.status_code, answer.headers.get("Idempotent-Replayed")) for answer in wreck.repeats
    )

    expected = [(200, "true")] if step in PLACED_BEFORE else [(201, None)]
    assert told == ([(200, "true"), (409, None)] if len(told) == 2 else expected)


@pytest.mark.parametrize("step", Step)
def test_stock_sales_and_messages_moved_once(wrecks: Wrecks, books: Books, step: Step) -> None:
    sku = wrecks.by_step[step].sku

    orders = books.all(
        "SELECT orders_order.id FROM orders_order"
        " JOIN orders_orderline ON order_id = orders_order.id WHERE sku = %s",
        sku,
    )
    messages = books.one(
        "SELECT count(*) FROM notifications_notification WHERE order_id = ANY(%s)",
        [order_id for (order_id,) in orders],
    )

    assert len(orders) == 1
    assert messages == 1
    assert books.available(sku) == (0 if step is Step.BEFORE_SETTLE else 98)
    assert books.units_sold(sku) == 2


def test_the_audit_is_clean_within_a_minute(wrecks: Wrecks, live_shop: LiveShop) -> None:
    assert wrecks.seconds_to_mend < 60
    assert live_shop.manage("audit").endswith("clean\n")


@pytest.mark.parametrize("step", Step)
def test_control_without_the_sweep_half_done_sales_are_found_by_the_audit(
    wrecks: Wrecks, step: Step
) -> None:
    names = {violation.partition(": entries")[0] for violation in wrecks.by_step[step].drift}

    assert names == ({"sales"} if step in HALF_DONE else set())
