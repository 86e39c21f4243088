"""Celery's log of a result is part of the statement that finishes the job."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_celery_results.models import TaskResult

from notifications.models import Notification
from project.jobs.queryset import Status
from project.jobs.results import ResultLog
from tests.project.jobs.rows import change, claimed, row

pytestmark = pytest.mark.django_db

LOG = ResultLog(task="notifications.tasks.send", worker="notify@host")


def result_of(job: Notification) -> dict[str, Any]:
    return TaskResult.objects.filter(task_id=job.pk).values().get()


def test_one_statement_finishes_the_job_and_logs_its_result() -> None:
    job = claimed()

    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert Notification.objects.succeed(job, {"answer": "250 {OK} %s"}, log=LOG)

    assert len(queries) == 1
    assert row(job).status == Status.DONE
    logged = TaskResult.objects.get(task_id=job.pk)
    assert (logged.status, logged.task_name, logged.worker) == ("SUCCESS", LOG.task, LOG.worker)
    assert logged.as_dict()["result"] == '{"answer": "250 {OK} %s"}'


def test_a_lost_claim_leaves_no_result() -> None:
    job = claimed()
    change(job, token="00000000-0000-4000-8000-000000000000")

    assert not Notification.objects.succeed(job, {}, log=LOG)

    assert not TaskResult.objects.exists()


def test_a_later_success_replaces_the_result_of_an_earlier_failure() -> None:
    job = claimed()
    TaskResult.objects.create(task_id=str(job.pk), status="FAILURE", traceback="…")

    Notification.objects.succeed(job, {"answer": "250 OK"}, log=LOG)

    assert (result_of(job)["status"], result_of(job)["traceback"]) == ("SUCCESS", None)
