"""An attack, the shop that it is made against, and the moment in which all press their buttons."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from django.db import connection
from django.db.models import F, Model

from orders.models import OrderLine, Payment, Stock, Voucher, WaitingListEntry
from tests.acidrain.delays import DelayingGateway
from tests.acidrain.people import Answer
from tests.races import without_constraint

T = TypeVar("T")

AT_A_TIME = 6
"""Races that go on side by side. Each is about rows of its own."""
ROUND = 100
"""Races that are prepared together: the test bank remembers 500 payments."""

FEW = 8
"""Races that a control makes before it looks."""

BUSY, BUSY_TRIES = 503, 5
"""What a shop answers that waited too long for a lock: on a machine with more to do, nothing is
wrong with that."""

Step = Callable[[], Answer]
"""One request of a person, ready to be sent."""


@dataclass(frozen=True)
class Shop:
    """A running shop whose web processes reach PostgreSQL through the gateway."""

    url: str
    gateway: DelayingGateway


@dataclass(frozen=True)
class Race:
    steps: Sequence[Step]
    """What is done at the same moment."""
    wrong: Callable[[Sequence[Answer]], str]
    """Says afterwards, by the rows and the answers, what is wrong; empty if nothing is."""


@dataclass
class Outcome:
    """What came of an attack's races."""

    anomalies: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """The answers that say that the shop failed, or that it stayed busy."""


@dataclass(frozen=True)
class Attack:
    name: str
    prepare: Callable[[Shop, int], Race]
    """Returns the race with this number."""
    constraints: tuple[tuple[type[Model], str], ...] = ()
    """The database's own guards, behind those of the software."""

    def make(self, shop: Shop, races: int, *, first: int = 0) -> Outcome:
        """Make so many races, numbered from `first` on, and return what came of them."""
        outcome = Outcome()
        for begin in range(first, first + races, ROUND):
            numbers = range(begin, min(begin + ROUND, first + races))
            prepared = in_parallel(partial(self.prepare, shop), numbers)
            with shop.gateway.slowly():
                answers = at_the_same_moment([race.steps for race in prepared])
            for race, got in zip(prepared, answers, strict=True):
                outcome.failures += [answer.summary for answer in got if answer.status >= 500]
                outcome.anomalies += filter(None, [race.wrong(got)])
        return outcome

    def first_anomaly(self, shop: Shop, *, most: int) -> str:
        """Make races, a few at a time, until one goes wrong; empty if none of `most` does."""
        for first in range(0, most, FEW):
            for anomaly in self.make(shop, FEW, first=first).anomalies:
                return anomaly
        return ""


def in_parallel(work: Callable[[int], T], numbers: Iterable[int]) -> list[T]:
    """Do the work for each number, a few at a time."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return list(pool.map(partial(_closing, work), numbers))


def _closing(work: Callable[[int], T], number: int) -> T:
    try:
        return work(number)
    finally:
        connection.close()


def at_the_same_moment(races: Sequence[Sequence[Step]]) -> list[list[Answer]]:
    """Run the races; the steps of each begin together. Return their answers.

    The threads take the steps in their order, so of all races at most one waits for a thread.
    """
    with ThreadPoolExecutor(AT_A_TIME * max(map(len, races))) as pool:
        running = [_begin(pool, steps) for steps in races]
        return [[step.result() for step in steps] for steps in running]


def _begin(pool: ThreadPoolExecutor, steps: Sequence[Step]) -> list[Future[Answer]]:
    start = threading.Barrier(len(steps))
    return [pool.submit(_together, start, step) for step in steps]


def _together(start: threading.Barrier, step: Step) -> Answer:
    """Begin with the others; as long as the shop says that it is busy, do it again as it asks."""
    start.wait(120)
    answer = step()
    for _again in range(BUSY_TRIES):
        if answer.status != BUSY:
            break
        time.sleep(1)
        answer = step()
    return answer


@contextmanager
def without_constraints(attack: Attack) -> Iterator[None]:
    """Take out the database's guards; afterwards no row may break them."""
    with ExitStack() as constraints:
        for model, name in attack.constraints:
            constraints.enter_context(without_constraint(model, name))
        yield
        Stock.objects.filter(available__lt=0).update(available=0)
        OrderLine.objects.filter(refunded__gt=F("quantity")).update(refunded=0)
        Voucher.objects.filter(used__gt=F("limit")).update(used=0)
        Payment.objects.all().delete()
        WaitingListEntry.objects.all().delete()
