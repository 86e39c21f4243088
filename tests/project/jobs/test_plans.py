"""The steps of one job are read by its primary key, whatever the statistics say."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.benchmarks.history import idle_transaction
from notifications.models import Notification
from project.jobs.dispatch import ring
from project.jobs.queryset import JobQuerySet
from tests.project.jobs.rows import queue

pytestmark = pytest.mark.django_db(transaction=True, available_apps=["notifications"])

ENDED = 600


@pytest.fixture
def calm_statistics() -> Iterator[None]:
    """Statistics that know no open job, and an index of open jobs with what it can't forget."""
    jobs = [queue() for _ in range(ENDED)]
    with idle_transaction():  # whose snapshot keeps what dies from now on
        while ring(Notification):
            pass
        for job in jobs:
            claim = Notification.objects.claim(job.pk)
            assert Notification.objects.succeed(claim, {})
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE notifications_notification")
        yield


def index_of(step: Callable[[], object]) -> str:
    """Return by which index the step's UPDATE finds its row; the plan, if by none."""
    with CaptureQueriesContext(connection) as asked:
        assert step()
    [update] = [query["sql"] for query in asked if "UPDATE" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {update}")
        plan = " ".join(line for (line,) in cursor.fetchall())
    # A bitmap of one row is as good; the planner's choice between the two is by a hair.
    found = re.search(r"(?: using |Bitmap Index Scan on )(\w+)", plan)
    return found[1] if found else plan


STEPS: dict[str, Callable[[JobQuerySet, Any], object]] = {
    "extend_lease": lambda jobs, claim: jobs.extend_lease(claim),
    "set_progress": lambda jobs, claim: jobs.set_progress(claim, 50),
    "succeed": lambda jobs, claim: jobs.succeed(claim, {}),
    "retry_later": lambda jobs, claim: jobs.retry_later(claim, "not now"),
    "park": lambda jobs, claim: jobs.park(claim, "closed"),
    "release": lambda jobs, claim: jobs.release(claim),
}


@pytest.mark.usefixtures("calm_statistics")
def test_a_step_finds_its_job_by_the_primary_key() -> None:
    jobs = Notification.objects.all()
    by = {"claim": index_of(lambda: jobs.claim(queue().pk))}

    for name, step in STEPS.items():
        claim = jobs.claim(queue().pk)
        by[name] = index_of(partial(step, jobs, claim))

    assert by == dict.fromkeys(["claim", *STEPS], "notifications_notification_pkey")


@pytest.mark.usefixtures("calm_statistics")
def test_control_with_the_status_in_sight_an_index_that_seems_empty_is_read() -> None:
    claim = Notification.objects.claim(queue().pk)
    in_sight = Notification.objects.filter(pk=claim.pk, token=claim.token, status="running")

    assert index_of(lambda: in_sight.update(progress=50)) != "notifications_notification_pkey"
