"""Asking several carriers at once: it takes as long as the slowest of them, and never longer than
the deadline.

Local carriers compute their price in the request's own thread; the others are asked in threads.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from functools import partial

from django.utils import translation

from notifications.channels.deadline import Deadline
from orders.quotes.breaker import Breaker
from orders.quotes.carrier import Answer, Carrier, CarrierError, UnreadableAnswerError
from orders.quotes.parcel import Missing, Parcel, Why
from orders.quotes.threads import in_thread

logger = logging.getLogger(__name__)

SECONDS = 1.5
"""The deadline of all carriers together: a shopper waits for it."""

_breakers: dict[str, Breaker] = {}
_breakers_lock = threading.Lock()


def ask_all(
    carriers: Sequence[Carrier], parcel: Parcel, *, seconds: float = SECONDS
) -> dict[str, Answer]:
    """Return the answer of each carrier by its name, in their order.

    A carrier that is late, broken or at rest has an answer that says so. It never raises for what
    a carrier does.
    """
    deadline = Deadline(seconds)
    answers: dict[str, Answer | None] = {carrier.name: None for carrier in carriers}
    asked: dict[str, Future[Answer]] = {}
    for carrier in carriers:
        if carrier.needs_address and not parcel.country:
            answers[carrier.name] = _none(carrier.name, Why.NO_ADDRESS)
        elif carrier.is_remote and not breaker_of(carrier.name).admits():
            answers[carrier.name] = _none(carrier.name, Why.RESTING)
        elif carrier.is_remote:
            question = _question(carrier, parcel, deadline)
            try:
                asked[carrier.name] = in_thread(carrier.name, question)
            except RuntimeError:  # the system gives no more threads
                breaker_of(carrier.name).not_asked()
                answers[carrier.name] = _none(carrier.name, Why.BUSY)
    for carrier in carriers:
        if answers[carrier.name] is None and not carrier.is_remote:
            answers[carrier.name] = carrier.ask(parcel, deadline)
    wait(asked.values(), timeout=seconds)
    for name, future in asked.items():
        answers[name] = _answer(name, future)
    return {name: answer for name, answer in answers.items() if answer is not None}


def breaker_of(name: str) -> Breaker:
    """Return this process's breaker of the carrier."""
    with _breakers_lock:
        return _breakers.setdefault(name, Breaker(name))


def forget_breakers() -> None:
    """Ask every carrier again."""
    with _breakers_lock:
        _breakers.clear()


def _question(carrier: Carrier, parcel: Parcel, deadline: Deadline) -> Callable[[], Answer]:
    """Return the question for a thread, which speaks the shopper's language."""
    return partial(_ask, carrier, parcel, deadline, translation.get_language())


def _ask(carrier: Carrier, parcel: Parcel, deadline: Deadline, language: str | None) -> Answer:
    with translation.override(language):
        deadline.remaining()  # it may have waited for its thread until now
        return carrier.ask(parcel, deadline)


def _answer(name: str, future: Future[Answer]) -> Answer:
    """Return what came of the question, and tell the breaker."""
    breaker = breaker_of(name)
    if future.cancel():
        breaker.not_asked()
        logger.warning("carrier %s: no thread was free to ask it", name)
        return _none(name, Why.BUSY)
    if not future.done():
        breaker.failed()
        logger.warning("carrier %s is late", name)
        return _none(name, Why.LATE)
    try:
        answer = future.result()
    except TimeoutError:
        why = Why.LATE
    except UnreadableAnswerError as error:
        logger.warning("carrier %s can't be understood: %s", name, error)
        why = Why.UNREADABLE
    except (CarrierError, OSError) as error:
        logger.warning("carrier %s failed: %s", name, error)
        why = Why.FAILED
    except Exception:  # a fault in its own module must not take the others' quotes
        logger.exception("carrier %s failed", name)
        why = Why.FAILED
    else:
        breaker.answered()
        return answer
    breaker.failed()
    return _none(name, why)


def _none(carrier: str, why: Why) -> Answer:
    return Answer(missing=(Missing(carrier, why),))
