"""Which run is slower than usual, and who hears of it."""

from typing import Any

import pytest
from django.db.models.functions import Now

from notifications.models import Notification
from notifications.rendering import render
from orders.performance.judgement import judge
from project.models import PerformanceRun

pytestmark = pytest.mark.django_db

State = PerformanceRun.State


def add_run(p99: float | None, **values: Any) -> PerformanceRun:
    plan = {"rate": 5, "seconds": 60, "state": State.DONE, "finished_at": Now()}
    return PerformanceRun.objects.create(p99=p99, **plan | values)


@pytest.fixture(autouse=True)
def staff(settings: Any) -> None:
    settings.STAFF_EMAILS = ["boss@example.org", "ops@example.org"]


def test_the_staff_hear_when_p99_is_30_percent_above_the_median_of_the_last_runs() -> None:
    for p99 in (90.0, 100.0, 400.0):
        add_run(p99)
    slow = add_run(130.1)

    assert judge(slow)

    slow.refresh_from_db()
    assert (slow.usual_p99, slow.is_slower) == (100.0, True)
    messages = Notification.objects.filter(event="performance_slower")
    assert {message.recipient for message in messages} == {"boss@example.org", "ops@example.org"}
    wording = render(messages[0])
    assert wording.subject == "Performance: p99 is 30 % higher than usual"
    assert f"/admin/project/performancerun/{slow.pk}/change/" in wording.text


def test_at_30_percent_nobody_hears() -> None:
    for _run in range(3):
        add_run(100.0)
    run = add_run(130.0)

    assert not judge(run)

    run.refresh_from_db()
    assert (run.usual_p99, run.is_slower) == (100.0, False)
    assert not Notification.objects.exists()


def test_only_runs_that_were_done_with_the_same_plan_are_compared() -> None:
    for _run in range(3):
        add_run(1.0, rate=6)
        add_run(1.0, seconds=61)
        add_run(1.0, state=State.STOPPED)
        add_run(None)
    for _run in range(2):
        add_run(100.0)

    assert not judge(add_run(500.0))


def test_a_run_that_was_stopped_is_not_judged() -> None:
    for _run in range(3):
        add_run(100.0)

    assert not judge(add_run(500.0, state=State.STOPPED))


def test_a_run_is_judged_by_the_last_ten() -> None:
    for _run in range(20):
        add_run(1000.0)
    for _run in range(10):
        add_run(100.0)

    assert judge(add_run(200.0))
