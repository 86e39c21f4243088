"""Samples of the queues: each minute once, from the jobs' own times."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from notifications.models import Notification
from project.jobs.queryset import PARKED, Status
from project.models import QueueSample
from project.queues.samples import read_history, sample_queues

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def last_minute() -> datetime:
    """Return the begin of the minute that is sampled in this test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT date_trunc('minute', now()) - interval '1 minute'")
        begin: datetime = cursor.fetchone()[0]
        return begin


def add(**fields: Any) -> None:
    values = {
        "kind": "k",
        "event": "e",
        "channel": "sms",
        "recipient": "+4915112345678",
        "language": "en",
    }
    Notification.objects.create(**(values | fields))


def test_a_sample_has_what_waits_and_what_was_finished() -> None:
    begin = last_minute()
    for seconds in (1, 3, 5):
        add(
            status=Status.DONE,
            run_after=begin + SECOND,
            finished_at=begin + (1 + seconds) * SECOND,
        )
    add(status=Status.FAILED, finished_at=begin)
    add(status=Status.UNKNOWN, finished_at=begin + 59 * SECOND)
    add(status=Status.FAILED, finished_at=begin - SECOND)  # of the minute before
    add(status=Status.CANCELLED, finished_at=begin)
    add(run_after=begin - timedelta(minutes=5))
    add(run_after=begin - timedelta(minutes=9), ring_after=PARKED)
    add(run_after=timezone.now() + timedelta(hours=1))

    sample_queues()

    sample = QueueSample.objects.get(queue="notify")
    assert sample.minute == begin
    assert (sample.depth, sample.done, sample.failed) == (1, 3, 2)
    assert (sample.median, round(sample.slowest or 0, 1)) == (3, 4.8)
    assert 360 <= sample.oldest < 420
    assert QueueSample.objects.count() == 3


def test_a_minute_is_sampled_once() -> None:
    sample_queues()
    add(run_after=last_minute())

    sample_queues()

    assert QueueSample.objects.get(queue="notify").depth == 0


def test_history_has_a_gap_where_nothing_is_known() -> None:
    now = timezone.now().replace(second=30)
    begin = now.replace(second=0, microsecond=0)
    for minutes, depth in ((1, 4), (3, 9)):
        QueueSample.objects.create(
            queue="media",
            minute=begin - timedelta(minutes=minutes),
            depth=depth,
            oldest=1,
            done=2,
            failed=0,
            median=1,
            slowest=minutes,
        )

    histories = read_history(until=now, steps=4, step=timedelta(minutes=1))

    [media] = [history for history in histories if history.queue == "media"]
    assert media.depth == [None, 9, None, 4]
    [wide] = [
        history
        for history in read_history(until=now, steps=1, step=timedelta(minutes=4))
        if history.queue == "media"
    ]
    assert (wide.depth, wide.done, wide.slowest) == ([9], [4], [3])
