"""The queue before the threads."""

import pytest

from project.admission.queue import AdmissionQueue


def test_the_first_in_queue_is_the_next() -> None:
    queue: AdmissionQueue[str] = AdmissionQueue(patience=1.0, most=2)
    queue.join("first", now=0.0)
    queue.join("second", now=0.5)

    assert [queue.next(), queue.next()] == ["first", "second"]
    with pytest.raises(IndexError):
        queue.next()


def test_each_waits_for_its_own_time() -> None:
    queue: AdmissionQueue[str] = AdmissionQueue(patience=1.0, most=2)
    queue.join("first", now=0.0)
    queue.join("second", now=0.5)

    assert queue.late(now=0.9) == []
    assert queue.seconds_left(now=0.75) == 0.25
    assert queue.late(now=1.0) == ["first"]
    assert queue.seconds_left(now=2.0) == 0.0
    assert queue.late(now=2.0) == ["second"]
    assert queue.seconds_left(now=2.0) is None


def test_a_full_queue_takes_nobody() -> None:
    queue: AdmissionQueue[str] = AdmissionQueue(patience=1.0, most=1)

    assert queue.join("first", now=0.0)
    assert not queue.join("second", now=0.0)
    assert len(queue) == 1
