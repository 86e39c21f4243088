"""What clients called and were answered, in the JSON form that Elle's checkers read, and our rules.

An operation is two maps in a list: its `invoke`, and later its `ok` (it happened), its `fail` (it
did not) or its `info` (nobody knows). `value` holds what it reads and writes as Elle's registers
do: the register is an order by its idempotency key, written once as "placed" and at most once as
"cancelled". `call`, `order`, `lines` and `status` are for the rules below; Elle passes them over.

The rules compare the history with the books: what the shop's database says at the end.
"""

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

PLACE, REPEAT, READ, CANCEL = "place", "repeat", "read", "cancel"
PLACED, CANCELLED = "placed", "cancelled"
STEPS = frozenset({"paid", "packed", "shipped", "delivered"})
"""What must not come after a cancel; a refund may."""


@dataclass(frozen=True)
class Operation:
    """One line of a history."""

    type: str
    process: int
    call: str
    key: str
    time: int
    """Nanoseconds since the history began, on one clock for all clients."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """Units by SKU, of an order."""
    order: str = ""
    """The id that the answer named; "" where none did."""
    status: str = ""
    """The order's status by the answer; "unknown" where the shop said that there is no such."""

    @property
    def value(self) -> list[list[str | None]]:
        """What it reads or writes, as Elle's registers take it."""
        if self.call in (PLACE, CANCEL):
            return [["w", self.key, PLACED if self.call == PLACE else CANCELLED]]
        known = self.status if self.status in (PLACED, CANCELLED) else None
        return [["r", self.key, known]]

    def as_map(self, index: int) -> dict[str, Any]:
        """Return it for the JSON file; what it hasn't is left out."""
        own = {"order": self.order, "status": self.status, "lines": dict(self.lines)}
        return {
            "index": index,
            "type": self.type,
            "process": self.process,
            "time": self.time,
            "f": "txn",
            "value": self.value,
            "call": self.call,
            "key": self.key,
            **{name: value for name, value in own.items() if value},
        }


class History:
    """Written by many clients at once."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self._began = time.monotonic_ns()
        self._lock = threading.Lock()

    def now(self) -> int:
        return time.monotonic_ns() - self._began

    def add(self, kind: str, process: int, call: str, key: str, **more: Any) -> Operation:
        """Note an operation's beginning or end, now."""
        with self._lock:
            operation = Operation(kind, process, call, key, self.now(), **more)
            self.operations.append(operation)
        return operation

    def write(self, path: Path) -> None:
        maps = [each.as_map(index) for index, each in enumerate(self.operations)]
        path.write_text("[\n" + ",\n".join(map(json.dumps, maps)) + "\n]\n")


def read(path: Path) -> list[Operation]:
    """Return the operations of a file that `History.write` made."""
    names = [each.name for each in fields(Operation)]
    return [
        Operation(**{name: each[name] for name in names if name in each})
        for each in json.loads(path.read_text())
    ]


@dataclass(frozen=True)
class Booked:
    """An order as the database has it."""

    id: str
    key: str
    """Its idempotency key, which its client wrote into the order's address."""
    status: str
    lines: Mapping[str, int]
    events: tuple[str, ...]
    """What happened to it, oldest first."""


@dataclass(frozen=True)
class Books:
    """What the shop's database says at the end."""

    orders: list[Booked]
    stock: Mapping[str, tuple[int, int]]
    """By SKU: how many units there were before the first order, and how many are left."""


def broken_rules(operations: list[Operation], books: Books) -> list[str]:
    """Return a sentence for each violation of a rule."""
    return [
        *answered_orders_that_do_not_exist_once(operations, books),
        *keys_with_other_orders(operations),
        *wrong_stock(books),
        *sold_beyond_the_stock(operations, books),
        *steps_after_a_cancel(operations, books),
        *reads_that_forget(operations),
    ]


def answered_orders_that_do_not_exist_once(
    operations: list[Operation], books: Books
) -> Iterator[str]:
    """An order that was answered is in the books; a key has one order there at most."""
    exist = {order.id for order in books.orders}
    for each in operations:
        if each.type == "ok" and each.call == PLACE and each.order not in exist:
            yield f"lost: order {each.order} was answered to {each.key}"
    for key, times in Counter(order.key for order in books.orders).items():
        if times > 1:
            yield f"doubled: {key} has {times} orders"
    asked = {each.key for each in operations if each.call == PLACE}
    refused = {each.key for each in operations if each.call == PLACE and each.type == "fail"}
    for order in books.orders:
        if order.key not in asked or order.key in refused:
            yield f"nobody's: order {order.id} of {order.key}"


def keys_with_other_orders(operations: list[Operation]) -> Iterator[str]:
    """Whoever repeats a key is answered with the same order."""
    first: dict[str, str] = {}
    for each in operations:
        if (
            each.type == "ok"
            and each.order
            and first.setdefault(each.key, each.order) != each.order
        ):
            yield f"another order: {each.key} had {first[each.key]}, then {each.order}"


def wrong_stock(books: Books) -> Iterator[str]:
    """Units left are those of the beginning, less sold, plus given back; never less than none."""
    sold: Counter[str] = Counter()
    for order in books.orders:
        if order.status != CANCELLED:
            sold.update(order.lines)
    for sku, (initial, available) in books.stock.items():
        if available < 0:
            yield f"oversold: {available} units of {sku} are left"
        if available != initial - sold[sku]:
            yield f"stock: {available} units of {sku} are left of {initial} with {sold[sku]} sold"


def sold_beyond_the_stock(operations: list[Operation], books: Books) -> Iterator[str]:
    """At no moment more units were sold by answer, and not asked back, than there were."""
    held: Counter[str] = Counter()
    lines: dict[str, Mapping[str, int]] = {}
    back: set[str] = set()
    for each in operations:
        if each.call == PLACE and each.type == "ok" and each.key not in back:
            lines[each.key] = each.lines
            held.update(each.lines)
            for sku in each.lines:
                if sku in books.stock and held[sku] > books.stock[sku][0]:
                    yield f"oversold: {held[sku]} units of {sku} at {each.time / 1e9:.3f} s"
        elif each.call == CANCEL and each.type == "invoke" and each.key in lines:
            # From now on the units may be somebody else's.
            back.add(each.key)
            held.subtract(lines.pop(each.key))


def steps_after_a_cancel(operations: list[Operation], books: Books) -> Iterator[str]:
    """A cancel that was answered stands: the order is read as cancelled, and no step follows."""
    cancelled: dict[str, int] = {}
    for each, began in _with_beginnings(operations):
        if each.type == "ok" and each.call == CANCEL:
            cancelled.setdefault(each.key, each.time)
        elif (
            each.type == "ok"
            and each.call in (READ, REPEAT)
            and began > cancelled.get(each.key, began)
            and each.status != CANCELLED
        ):
            yield f"cancelled, then {each.status}: {each.key}"
    for order in books.orders:
        if order.key in cancelled and order.status != CANCELLED:
            yield f"cancelled, then {order.status} in the books: {order.key}"
        if CANCELLED in order.events:
            for step in order.events[order.events.index(CANCELLED) + 1 :]:
                if step in STEPS | {CANCELLED}:
                    yield f"cancelled, then {step}: order {order.id}"


def reads_that_forget(operations: list[Operation]) -> Iterator[str]:
    """Who was told of an order finds it whenever he asks later."""
    told: dict[str, int] = {}
    for each, began in _with_beginnings(operations):
        if each.type != "ok":
            continue
        if each.order and each.call in (PLACE, REPEAT):
            told.setdefault(each.key, each.time)
        elif each.call == READ and each.status == "unknown" and began > told.get(each.key, began):
            yield f"forgotten: {each.key} was answered, and later unknown"


def _with_beginnings(operations: list[Operation]) -> Iterator[tuple[Operation, int]]:
    """Yield each operation's end with the moment of its beginning."""
    open_since: dict[int, int] = defaultdict(int)
    for each in operations:
        if each.type == "invoke":
            open_since[each.process] = each.time
        else:
            yield each, open_since[each.process]
