"""The constraints of a job's row."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models.functions import Now

from media_jobs.models import MediaJob
from project.jobs.queryset import Status
from tests.project.jobs.rows import change, queue

pytestmark = pytest.mark.django_db


# ── Constraints ─────────────────────────────────────────────────────────────────────────────
BROKEN = {
    "a status that there isn't": {"status": "lost"},
    "progress beyond 100 percent": {"progress": 101},
    "running without a lease": {"status": Status.RUNNING, "token": uuid4()},
    "running without a token": {"status": Status.RUNNING, "lease_until": Now()},
    "done with a token": {"status": Status.DONE, "token": uuid4()},
    "queued with a lease": {"lease_until": Now()},
    "negative attempts": {"attempts": -1},
}


@pytest.mark.parametrize("values", BROKEN.values(), ids=BROKEN.keys())
def test_the_database_refuses_a_broken_job(values: dict[str, Any]) -> None:
    job = queue()

    with pytest.raises(DatabaseError), transaction.atomic():
        change(job, **values)


def test_one_notification_per_order_event_channel_and_recipient() -> None:
    job = queue()

    with pytest.raises(IntegrityError, match="one_notification_per_event"), transaction.atomic():
        queue(order_id=job.order_id)

    queue(order_id=job.order_id, recipient="else@example.org")
    queue(order_id=job.order_id, channel="sms")
    queue(order_id=job.order_id, event="order_paid")


def test_one_media_job_per_source_and_recipe() -> None:
    MediaJob.objects.create(kind="renditions", source="asset:1", recipe="product")

    with pytest.raises(IntegrityError, match="one_job_per_recipe"), transaction.atomic():
        MediaJob.objects.create(kind="renditions", source="asset:1", recipe="product")
