"""The Celery door of media jobs."""

from uuid import uuid4

import pytest
from celery.exceptions import Ignore, SoftTimeLimitExceeded

from media_jobs import tasks
from media_jobs.models import MediaJob
from project.celery import app
from project.jobs.errors import LostClaimError, PermanentError
from project.jobs.queryset import Status
from tests.media_jobs.passes import pass_job

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]


def test_the_task_is_known_under_the_name_that_the_relay_rings():
    app.loader.import_default_modules()

    assert app.tasks[MediaJob.task].name == tasks.process.name


def test_the_task_returns_what_was_made():
    result = tasks.process(str(pass_job().pk))

    assert [(made["name"], made["format"]) for made in result["renditions"]] == [("pass", "png")]


def test_a_duplicate_leaves_the_first_results_as_they_are():
    job = pass_job()
    tasks.process(str(job.pk))

    with pytest.raises(Ignore):
        tasks.process(str(job.pk))


def test_a_lost_claim_leaves_the_result_to_the_claim_that_counts(monkeypatch):
    def lost(*_args, **_options):
        raise LostClaimError

    monkeypatch.setattr("project.jobs.task.run_job", lost)

    with pytest.raises(Ignore):
        tasks.process(str(uuid4()))


def test_a_job_that_takes_too_long_fails_with_that_reason(monkeypatch):
    def slow(_context):
        raise SoftTimeLimitExceeded

    monkeypatch.setattr("media_jobs.pickup_pass.draw", slow)
    job = pass_job()

    with pytest.raises(PermanentError):
        tasks.process(str(job.pk))

    job.refresh_from_db()
    assert job.status == Status.FAILED
    assert "took too long" in job.error
