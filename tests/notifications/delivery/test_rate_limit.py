"""A gateway gets no more messages a minute than it may, from however many workers."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from notifications.delivery import breaker, rate_limit
from notifications.delivery.parked import wake
from notifications.models import ChannelState, Notification
from project.conf.durations import a_minute
from project.jobs.dispatch import ring
from project.jobs.errors import JobError, NotNowError
from project.jobs.queryset import Status
from project.jobs.run import run_job

GATEWAY = "sms:127.0.0.1"
WORKERS = 8


@pytest.fixture
def limited(settings: Any) -> None:
    """Thirty SMS a minute: two at once, then one in about two seconds."""
    settings.SMS_PER_MINUTE = 30


def pass_time(seconds: float) -> None:
    """As if the bucket were filled so much longer ago."""
    ChannelState.objects.update(filled_at=F("filled_at") - timedelta(seconds=seconds))


def try_to_take(gateway: str = GATEWAY) -> bool:
    with suppress(NotNowError):
        rate_limit.take(gateway)
        return True
    return False


def run(message: Notification) -> Notification:
    """Make one attempt; its error is on the row."""
    with suppress(JobError):
        run_job(Notification, message.pk)
    message.refresh_from_db()
    return message


@pytest.fixture
def together() -> Iterator[Callable[[Callable[[], Any]], list[Any]]]:
    """Call a function in all workers at once and return what each got."""
    barrier = threading.Barrier(WORKERS)

    def work(function: Callable[[], Any]) -> Any:
        try:
            barrier.wait()
            return function()
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        yield lambda function: [
            called.result() for called in [pool.submit(work, function) for _ in range(WORKERS)]
        ]


# ── The bucket ──────────────────────────────────────────────────────────────────────────────
@pytest.mark.django_db
@pytest.mark.parametrize("limit", [1, 2, 29, 30, 60, 600, 10_000])
def test_no_minute_sees_more_than_the_limit_and_few_much_less(settings, limit) -> None:
    settings.SMS_PER_MINUTE = limit
    full = rate_limit.capacity(limit)
    rate = (limit + 1 - full) / 60

    # The most that the first minute can give: a full bucket, and what comes in until it ends.
    assert full + rate * 60 == pytest.approx(limit + 1), "and the last of them is never whole"
    assert rate * 60 >= 0.96 * limit


@pytest.mark.django_db
def test_a_full_bucket_gives_what_it_has_and_then_what_comes_in(limited) -> None:
    assert [try_to_take() for _ in range(3)] == [True, True, False]

    pass_time(60 / 29 + 0.01)

    assert [try_to_take() for _ in range(2)] == [True, False]


@pytest.mark.django_db
def test_a_bucket_never_holds_more_than_its_capacity(limited) -> None:
    try_to_take()
    pass_time(3600)

    assert rate_limit.free(GATEWAY) == 2
    assert [try_to_take() for _ in range(3)] == [True, True, False]


@pytest.mark.django_db
def test_each_gateway_has_a_bucket_of_its_own(limited) -> None:
    while try_to_take():
        pass

    assert try_to_take("sms:gateway.example")


@pytest.mark.django_db(transaction=True)
def test_workers_who_ask_at_once_get_no_more_than_there_is(limited, together) -> None:
    ChannelState.objects.create(gateway=GATEWAY)

    for _round in range(10):
        assert sum(together(try_to_take)) == 2
        ChannelState.objects.update(filled_at=None)


@pytest.mark.django_db(transaction=True)
def test_control_looking_first_and_counting_then_gives_too_many(
    limited, together, monkeypatch
) -> None:
    looked = threading.Barrier(WORKERS)

    def take(gateway: str, limit: int) -> bool:
        enough = rate_limit.free(gateway) >= 1
        looked.wait()
        if enough:
            ChannelState.objects.filter(gateway=gateway, tokens__gte=1).update(
                tokens=F("tokens") - 1, filled_at=Now()
            )
        return enough

    ChannelState.objects.create(gateway=GATEWAY)
    monkeypatch.setattr(rate_limit, "take_slot", take)

    assert sum(together(try_to_take)) == WORKERS


@pytest.mark.django_db
def test_without_a_limit_nobody_is_asked(settings, django_assert_num_queries) -> None:
    settings.SMS_PER_MINUTE = 0

    with django_assert_num_queries(0):
        rate_limit.take(GATEWAY)


@pytest.mark.django_db
def test_the_database_refuses_to_give_what_is_not_there(limited) -> None:
    rate_limit.take(GATEWAY)

    with pytest.raises(DatabaseError), transaction.atomic():
        ChannelState.objects.update(tokens=-0.5)


# ── Messages ────────────────────────────────────────────────────────────────────────────────
@pytest.mark.django_db
def test_a_message_over_the_limit_waits_and_uses_up_no_attempt(queued, gateway, limited) -> None:
    gateway.answers = [201] * 2

    messages = [run(queued("sms")) for _ in range(3)]

    assert [message.status for message in messages] == [Status.DONE, Status.DONE, Status.QUEUED]
    assert (messages[2].attempts, messages[2].error) == (0, "the limit of 30 a minute is reached")
    assert ring(Notification) == []
    assert len(gateway.asked) == 2


@pytest.mark.django_db
def test_no_more_are_woken_than_may_be_sent(queued, gateway, limited) -> None:
    gateway.answers = [201] * 3
    messages = [run(queued("sms")) for _ in range(5)]
    assert wake() == 0
    pass_time(60 / 29 + 0.01)

    assert wake() == 1
    [woken] = ring(Notification)
    assert run(Notification.objects.get(pk=woken)).status == Status.DONE
    assert woken == messages[2].pk, "who has waited longest"


@pytest.mark.django_db
def test_offers_wait_until_nothing_else_does(queued, gateway, limited) -> None:
    gateway.answers = [201] * 2
    messages = [run(queued("sms")) for _ in range(4)]
    Notification.objects.filter(pk=messages[2].pk).update(event="announcement")
    pass_time(60 / 29 + 0.01)

    wake()

    assert ring(Notification) == [messages[3].pk]


@pytest.mark.django_db
def test_a_probe_counts_too(queued, gateway, limited) -> None:
    breaker.failed(GATEWAY, "503", probing=True)
    while try_to_take():
        pass
    ChannelState.objects.update(open_until=Now() - timedelta(seconds=1))

    assert run(queued("sms")).attempts == 0
    assert gateway.asked == []


@pytest.mark.django_db(transaction=True)
def test_many_workers_send_everything_once_and_never_too_fast(
    queued, gateway, settings, together
) -> None:
    settings.SMS_PER_MINUTE = 240
    rate = (241 - rate_limit.capacity(240)) / 60
    gateway.answers = [201] * 60
    for _message in range(40):
        queued("sms")
    began, skipped = monotonic(), 0.0

    def work() -> None:
        for job_id in ring(Notification, limit=20):
            with suppress(JobError):
                run_job(Notification, job_id)

    while len(gateway.asked) < 40 and skipped < 30:
        together(work)
        passed = monotonic() - began + skipped
        assert len(gateway.asked) <= rate_limit.capacity(240) + rate * passed
        pass_time(1.0)
        skipped += 1
        wake()

    keys = [asked.headers["Idempotency-Key"] for asked in gateway.asked]
    assert len(keys) == len(set(keys)) == 40, "none lost, none twice"
    assert skipped >= 5, "the limit was felt"
    assert set(Notification.objects.values_list("status", "attempts")) == {(Status.DONE, 1)}


# ── The setting ─────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("value", "expected"), [("", 0), (" 600 ", 600)])
def test_a_limit_is_a_whole_number_and_empty_is_none(value, expected) -> None:
    assert a_minute("SMS_PER_MINUTE", value) == expected


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "٣", "9999999"])
def test_anything_else_is_refused_by_name(value) -> None:
    with pytest.raises(ImproperlyConfigured, match="SMS_PER_MINUTE"):
        a_minute("SMS_PER_MINUTE", value)
