"""Turns go to the one who waits longest, and none is lost."""

import threading
import time

import pytest

from orders.placing.turns import Turns

TIMEOUT = 20.0


def wait_for(turns: Turns, waiting: int) -> None:
    end = time.monotonic() + TIMEOUT
    while len(turns._waiting) < waiting:
        assert time.monotonic() < end
        time.sleep(0.001)


def test_so_many_have_a_turn_at_a_time() -> None:
    turns = Turns(2)

    assert turns.begin(timeout=0)
    assert turns.begin(timeout=0)
    assert not turns.begin(timeout=0.01)

    turns.end()
    assert turns.begin(timeout=0)


def test_a_turn_goes_to_the_one_who_waits_longest_not_to_a_newcomer() -> None:
    turns = Turns(1)
    assert turns.begin(timeout=0)
    order: list[int] = []

    def queue(number: int) -> None:
        assert turns.begin(timeout=TIMEOUT)
        order.append(number)
        turns.end()

    threads = []
    for number in range(5):
        threads.append(threading.Thread(target=queue, args=[number]))
        threads[-1].start()
        wait_for(turns, number + 1)
    turns.end()
    for thread in threads:
        thread.join()

    assert order == [0, 1, 2, 3, 4]


def test_one_who_gave_up_waiting_gets_no_turn() -> None:
    turns = Turns(1)
    assert turns.begin(timeout=0)
    assert not turns.begin(timeout=0.01)

    turns.end()

    assert turns.begin(timeout=0)


@pytest.mark.parametrize("timeout", [0.0, 0.001, 0.01])
def test_no_turn_is_lost_where_waiting_ends_as_one_comes(timeout: float) -> None:
    turns = Turns(3)

    def come_and_go() -> None:
        for _turn in range(300):
            if turns.begin(timeout=timeout):
                turns.end()

    threads = [threading.Thread(target=come_and_go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [turns.begin(timeout=0) for _ in range(4)] == [True, True, True, False]
