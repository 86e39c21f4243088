"""What a process keeps for a moment: how old it may be, who reads it anew, and who waits."""

import threading
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from project.kept import Kept

SECONDS = 2.0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("project.kept.time.monotonic", clock)
    return clock


def numbers() -> Callable[[], int]:
    """Return what reads 1, then 2, and so on."""
    numbers: Iterator[int] = count(1)
    return lambda: next(numbers)


def test_it_is_read_once_for_many_and_anew_in_good_time(clock: Clock) -> None:
    kept, read = Kept[int](most=10), numbers()

    found = []
    for after in (0.0, 0.9, 0.2, 0.9, 5.0):
        clock.now += after
        found.append(kept.get("home", read, seconds=SECONDS))

    assert found == [1, 1, 2, 2, 3]


def test_nothing_is_older_than_its_seconds_from_before_it_was_read(clock: Clock) -> None:
    kept, read = Kept[int](most=10), numbers()

    def slow() -> int:
        clock.now += 3.0
        return read()

    assert [kept.get("home", slow, seconds=SECONDS) for _time in range(2)] == [1, 2]


def test_while_one_reads_anew_the_others_get_what_there_is(clock: Clock) -> None:
    kept, read = Kept[int](most=10), numbers()
    kept.get("home", read, seconds=SECONDS)
    clock.now += 1.5
    met = []

    def reading() -> int:
        met.append(kept.get("home", read, seconds=SECONDS))
        return 10

    assert kept.get("home", reading, seconds=SECONDS) == 10
    assert met == [1]


def test_where_nothing_is_there_yet_many_wait_for_one() -> None:
    kept, read, begun, go_on = Kept[int](most=10), numbers(), threading.Event(), threading.Event()

    def slow() -> int:
        begun.set()
        assert go_on.wait(10)
        return read()

    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(kept.get("home", slow, seconds=SECONDS)))
        for _thread in range(4)
    ]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)

    assert found == [1, 1, 1, 1]


def test_who_waits_for_long_reads_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("project.kept.LONGEST_WAIT", 0.01)
    kept, read = Kept[int](most=10), numbers()

    def never_done() -> int:
        inner: list[int] = []
        other = threading.Thread(
            target=lambda: inner.append(kept.get("home", read, seconds=SECONDS))
        )
        other.start()
        other.join(10)
        return 100 + inner[0]

    assert kept.get("home", never_done, seconds=SECONDS) == 101


def test_an_error_is_raised_and_not_kept() -> None:
    kept = Kept[int](most=10)

    def fail() -> int:
        raise LookupError

    with pytest.raises(LookupError):
        kept.get("home", fail, seconds=SECONDS)
    assert kept.get("home", lambda: 7, seconds=SECONDS) == 7


def test_only_so_many_are_kept_and_the_least_used_go(clock: Clock) -> None:
    kept, read = Kept[int](most=2), numbers()

    found = [kept.get(key, read, seconds=SECONDS) for key in "abacab"]

    assert found == [1, 2, 1, 3, 1, 4]


def test_without_seconds_nothing_is_kept() -> None:
    kept, read = Kept[int](most=2), numbers()

    assert [kept.get("home", read, seconds=0) for _time in range(2)] == [1, 2]
