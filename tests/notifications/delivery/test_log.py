"""The delivery log: each attempt with its time, its length and what was answered."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from notifications.channels.answer import MAX_WORDS
from notifications.delivery.log import KEEP, read_attempts
from notifications.models import Notification
from notifications.tasks import send
from project.jobs.errors import NotNowError, PermanentError, TransientError
from project.jobs.run import run_job

pytestmark = pytest.mark.django_db(transaction=True)


def attempts_of(message: Notification) -> list[tuple[int, str, str]]:
    message.refresh_from_db()
    return [(a.number, str(a.label), a.words) for a in read_attempts(message)]


def ending(monkeypatch: pytest.MonkeyPatch, *outcomes: Exception | dict[str, Any]) -> None:
    """Let the next attempts end so, without a provider."""
    waiting = list(outcomes)

    def deliver(message: Notification) -> dict[str, Any]:
        outcome = waiting.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr("notifications.delivery.attempt.deliver", deliver)


def attempt(message: Notification) -> None:
    Notification.objects.filter(pk=message.pk).update(run_after=Now(), ring_after=Now())
    try:
        run_job(Notification, message.pk)
    except (TransientError, PermanentError, NotNowError):
        pass  # the row says so


def test_each_attempt_leaves_its_time_its_length_and_the_answer(queued, monkeypatch) -> None:
    message = queued()
    ending(monkeypatch, TransientError("450 try later"), {"answer": "250 ok"})

    attempt(message)
    attempt(message)

    assert attempts_of(message) == [(1, "retried", "450 try later"), (2, "sent", "250 ok")]
    first, last = read_attempts(message)
    assert first.at
    assert last.at
    assert last.seconds is not None
    assert first.at < last.at == message.started_at
    assert 0 <= last.seconds < 5


def test_a_real_mail_servers_answer_is_in_the_log(queued, mailbox) -> None:
    message = queued()

    send(str(message.pk))

    [(number, ended, words)] = attempts_of(message)
    assert (number, ended) == (1, "sent")
    assert words.startswith("250 2.0.0 Kept as ")


def test_a_retry_by_hand_goes_on_with_the_log(queued, monkeypatch) -> None:
    message = queued()
    ending(monkeypatch, PermanentError("550 no such mailbox"), {"answer": "250 ok"})

    attempt(message)
    Notification.objects.filter(pk=message.pk).retry_failed()
    attempt(message)

    assert attempts_of(message) == [(1, "failed", "550 no such mailbox"), (1, "sent", "250 ok")]


def test_waits_for_the_same_reason_are_one_line(queued, monkeypatch) -> None:
    message = queued()
    ending(monkeypatch, TransientError("450"), *[NotNowError("provider down")] * 40)

    for _attempt in range(41):
        attempt(message)

    assert attempts_of(message) == [(1, "retried", "450"), (2, "waited", "provider down")]
    assert [a.times for a in read_attempts(message)] == [1, 40]


def test_a_worker_that_died_is_in_the_log(queued, monkeypatch) -> None:
    message = queued()
    Notification.objects.claim(message.pk)
    Notification.objects.update(lease_until=Now() - timedelta(seconds=1))
    ending(monkeypatch, {"answer": "250 ok"})

    attempt(message)

    assert attempts_of(message) == [(1, "worker died", ""), (2, "sent", "250 ok")]


def test_the_log_is_bounded(queued, monkeypatch) -> None:
    message = queued()
    times = KEEP + 5
    ending(monkeypatch, *[TransientError(f"{n} " + "x" * 2 * MAX_WORDS) for n in range(times)])

    for _attempt in range(times):
        attempt(message)
        Notification.objects.update(status="queued", attempts=0, finished_at=None)

    log = attempts_of(message)
    assert len(log) == KEEP
    assert log[-1][2].startswith(f"{times - 1} ")
    assert {len(words) for _number, _ended, words in log} == {MAX_WORDS}


def test_a_late_worker_writes_nothing_into_the_log(queued, monkeypatch) -> None:
    message = queued()
    late = Notification.objects.claim(message.pk)
    assert late is not None
    Notification.objects.update(lease_until=Now() - timedelta(seconds=1))
    ending(monkeypatch, {"answer": "250 by another"})
    attempt(message)

    finished = Notification.objects.succeed(late, {"answer": "250 too late"})

    assert not finished
    assert attempts_of(message)[-1] == (2, "sent", "250 by another")
