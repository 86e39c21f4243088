"""A job's error or result can always be written, with any text in it."""

import traceback
from datetime import timedelta
from typing import Any

import pytest

from notifications.models import Notification
from project.jobs.errors import TransientError, clean_texts
from project.jobs.queryset import Status
from project.models import DailyRun, Heartbeat, Sweep
from project.text import MAX_ERROR
from tests.project.jobs.rows import claimed, row

pytestmark = pytest.mark.django_db

NASTY = "bad\x00 \ud800\x1b[31m\u202e" + "x" * 5000
STEPS = ["fail", "leave_unknown", "retry_later", "park"]


@pytest.mark.parametrize("step", STEPS)
def test_an_error_of_any_characters_and_length_is_written(step: str) -> None:
    job = claimed()
    seen: list[str] = []

    def fields(_ended: str, words: str) -> dict[str, Any]:
        seen.append(words)
        return {}

    assert getattr(Notification.objects, step)(job, NASTY, fields)

    error = row(job).error
    assert error.startswith("bad [31mxxx")
    assert len(error) == MAX_ERROR
    assert seen == [error]


def test_the_error_of_the_last_attempt_is_written_too() -> None:
    job = claimed(attempts=7)

    assert Notification.objects.retry_later(job, NASTY)

    assert row(job).status == Status.FAILED


def test_a_result_of_any_characters_is_written() -> None:
    job = claimed()

    assert Notification.objects.succeed(job, {"a\x00": ["b\ud800", {"c": NASTY}], "d": 7})

    result = row(job).result
    assert result is not None
    assert (result["a"][0], result["d"]) == ("b", 7)
    assert result["a"][1]["c"].startswith("bad [31mxxx")


def test_what_sweeps_daily_work_and_heartbeats_say_is_written_too() -> None:
    run = DailyRun.objects.create(name="x", day="2026-11-28")

    Sweep.objects.note_done("settle", result=NASTY, allow=timedelta(minutes=1))
    Sweep.objects.note_error("settle", NASTY, allow=timedelta(minutes=1))
    DailyRun.objects.fail(run, NASTY)
    Heartbeat.objects.beat("relay@host", broker=NASTY)

    run.refresh_from_db()
    assert (len(Sweep.objects.get(name="settle").error), len(run.error)) == (1000, 1000)
    assert Heartbeat.objects.get(name="relay@host").detail["broker"].startswith("bad [31m")


def test_the_texts_of_an_error_and_of_its_causes_are_cleaned():
    try:
        try:
            raise ValueError("HTTP/1.1 \x00 nothing")
        except ValueError as cause:
            raise TransientError("no \x00answer", 7) from cause
    except TransientError as error:
        clean_texts(error)
        found = error

    assert found.args == ("no answer", 7)
    assert "\x00" not in "".join(traceback.format_exception(found))
