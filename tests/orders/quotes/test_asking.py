"""Several carriers asked at once: how long it takes, and what is left out."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from orders.quotes import asking, threads
from orders.quotes.asking import ask_all, breaker_of
from orders.quotes.breaker import Breaker
from orders.quotes.carrier import Answer, CarrierError, UnreadableAnswerError
from orders.quotes.parcel import Parcel, Why
from tests.orders.quotes.fakes import PARCEL, FakeCarrier

MOST = 0.8
"""Seconds that three carriers of half a second may take together."""


def three_slow_ones() -> float:
    """Return the seconds that it takes to ask three carriers of 500 ms."""
    carriers = [FakeCarrier(name, seconds=0.5) for name in ("a", "b", "c")]
    begin = time.monotonic()
    answers = ask_all(carriers, PARCEL, seconds=3)
    took = time.monotonic() - begin
    assert [len(answer.quotes) for answer in answers.values()] == [1, 1, 1]
    return took


def test_three_carriers_take_as_long_as_one() -> None:
    assert three_slow_ones() < MOST


def test_control_one_after_the_other_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    def at_once(carrier: str, work: Callable[[], Answer]) -> Future[Answer]:
        done: Future[Answer] = Future()
        done.set_result(work())
        return done

    monkeypatch.setattr(asking, "in_thread", at_once)

    assert three_slow_ones() > MOST


def test_what_a_carrier_does_wrong_is_told_and_costs_the_others_nothing() -> None:
    free = threading.Event()
    carriers = [
        FakeCarrier("good"),
        FakeCarrier("hanging", hangs_on=free),
        FakeCarrier("late", error=TimeoutError()),
        FakeCarrier("down", error=ConnectionRefusedError()),
        FakeCarrier("refusing", error=CarrierError("503")),
        FakeCarrier("odd", error=UnreadableAnswerError("<html>")),
        FakeCarrier("broken", error=ZeroDivisionError()),
    ]
    try:
        answers = ask_all(carriers, PARCEL, seconds=0.3)
    finally:
        free.set()

    assert list(answers) == [carrier.name for carrier in carriers]
    assert [quote.carrier for answer in answers.values() for quote in answer.quotes] == ["good"]
    assert {name: answer.missing[0].why for name, answer in answers.items() if answer.missing} == {
        "hanging": Why.LATE,
        "late": Why.LATE,
        "down": Why.FAILED,
        "refusing": Why.FAILED,
        "odd": Why.UNREADABLE,
        "broken": Why.FAILED,
    }
    assert all(one.reason for answer in answers.values() for one in answer.missing)


def test_a_hung_carrier_takes_no_other_ones_threads() -> None:
    free = threading.Event()
    hung, good = FakeCarrier("hung", hangs_on=free), FakeCarrier("good")
    # More shoppers than a carrier has threads, each of whom meets the hung one.
    shoppers = [
        threading.Thread(target=ask_all, args=([hung], PARCEL), kwargs={"seconds": 0.5})
        for _shopper in range(threads.THREADS + 4)
    ]
    for shopper in shoppers:
        shopper.start()
    try:
        for shopper in shoppers:
            shopper.join()
        answers = ask_all([hung, good], PARCEL, seconds=0.5)
    finally:
        free.set()

    assert answers["good"].quotes
    assert answers["hung"].missing[0].why is Why.RESTING
    assert len(hung.asked) == threads.THREADS


def test_a_question_that_found_no_thread_says_nothing_of_the_carrier() -> None:
    free = threading.Event()
    for _thread in range(threads.THREADS):
        threads.in_thread("full", free.wait)
    try:
        answers = [ask_all([FakeCarrier("full")], PARCEL, seconds=0.05) for _try in range(4)]
    finally:
        free.set()

    assert [answer["full"].missing[0].why for answer in answers] == [Why.BUSY] * 4
    assert breaker_of("full").admits()


def test_without_an_address_nobody_is_asked_who_needs_one() -> None:
    carrier = FakeCarrier("far")

    answers = ask_all([carrier], Parcel(PARCEL.items))

    assert answers["far"].missing[0].why is Why.NO_ADDRESS
    assert carrier.asked == []


def test_a_carrier_that_keeps_failing_rests_and_is_probed_by_one() -> None:
    now = [0.0]
    breaker = Breaker("moody", clock=lambda: now[0])

    for _failure in range(3):
        assert breaker.admits()
        breaker.failed()
    assert not breaker.admits()
    now[0] = 15
    assert [breaker.admits(), breaker.admits()] == [True, False]
    breaker.failed()  # the probe: twice the time
    now[0] = 44
    assert not breaker.admits()
    now[0] = 45
    assert breaker.admits()
    breaker.not_asked()  # no thread was free, so another one probes
    assert breaker.admits()
    breaker.answered()
    assert [breaker.admits(), breaker.admits()] == [True, True]


def test_a_fork_starts_threads_of_its_own_and_a_drained_process_new_ones() -> None:
    ask_all([FakeCarrier("a")], PARCEL)
    child = os.fork()
    if child == 0:  # pragma: no cover
        answers = ask_all([FakeCarrier("a")], PARCEL)
        os._exit(0 if answers["a"].quotes else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    threads.drain()

    assert not [one for one in threading.enumerate() if one.name.startswith("quotes-")]
    assert ask_all([FakeCarrier("a")], PARCEL)["a"].quotes
