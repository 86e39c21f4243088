"""How far back the relay's looks go."""

import pytest

from project.jobs import looks
from project.jobs.looks import OVERLAP, WHOLE_EVERY, Looks


class Clock:
    """The monotonic clock of a test."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(looks, "time", clock)
    return clock


def test_a_look_begins_where_the_last_one_ended(clock: Clock) -> None:
    relays = Looks()
    assert relays.begin() is None, "the first is whole"
    relays.end(found_all=True)

    clock.now += 0.25
    assert relays.begin() == 0.25 + OVERLAP
    relays.end(found_all=True)
    clock.now += 1
    assert relays.begin() == 1 + OVERLAP


def test_what_a_full_batch_left_is_in_the_next_look(clock: Clock) -> None:
    relays = Looks()
    relays.begin()
    relays.end(found_all=True)

    for seconds in (1, 2, 3):
        clock.now += 1
        assert relays.begin() == seconds + OVERLAP
        relays.end(found_all=False)


def test_what_a_full_batch_left_of_a_long_transaction_is_in_the_next_look(clock: Clock) -> None:
    relays = Looks()
    relays.begin()
    relays.end(found_all=True)

    clock.now += WHOLE_EVERY
    assert relays.begin() is None
    relays.end(found_all=False, oldest=30.0)
    clock.now += 1
    assert relays.begin() == 31 + OVERLAP
    relays.end(found_all=True)
    clock.now += 1
    assert relays.begin() == 1 + OVERLAP, "all of it was found"


def test_all_are_looked_at_until_a_look_has_found_all(clock: Clock) -> None:
    relays = Looks()
    for _batch in range(3):
        assert relays.begin() is None
        relays.end(found_all=False)


def test_a_look_that_failed_is_made_again(clock: Clock) -> None:
    relays = Looks()
    relays.begin()
    clock.now += 1
    assert relays.begin() is None
    relays.end(found_all=True)
    clock.now += 1
    relays.begin()
    clock.now += 1
    assert relays.begin() == 2 + OVERLAP


def test_a_whole_look_is_the_net_every_few_seconds(clock: Clock) -> None:
    relays = Looks()
    wholes = 0
    for _look in range(4 * int(WHOLE_EVERY) + 1):
        wholes += relays.begin() is None
        relays.end(found_all=True)
        clock.now += 0.5
    assert wholes == 3
