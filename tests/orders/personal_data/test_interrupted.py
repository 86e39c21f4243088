"""kill -9 in the middle of an erasure: another process goes on, and nobody is left behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db.models.functions import Now
from django.test import Client

from orders.models import DeskJob, User
from orders.personal_data.person import find_person
from project.jobs.run import run_job
from tests.database import this_database
from tests.orders.invoicing.company import set_company
from tests.orders.personal_data.dying_erasure import POINTS
from tests.orders.personal_data.shopper import EMAIL, Shopper, shopper
from tests.orders.personal_data.traces import drift, left_over

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.usefixtures("writers"),
]


@pytest.fixture
def mina(client: Client, settings: Any, tmp_path: Path) -> Shopper:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.KEEP_INVOICES_YEARS = 0
    set_company(settings)
    return shopper(client, boss=User.objects.create_superuser("boss"))


def erase_and_die(point: str) -> DeskJob:
    """Let a process begin the erasure and die at this point; return its job."""
    program = "tests.orders.personal_data.dying_erasure"
    ended = subprocess.run(
        [sys.executable, "-m", program, point, EMAIL, str(django_settings.MEDIA_ROOT)],
        env=os.environ
        | {"DATABASE_URL": this_database(), "DJANGO_SETTINGS_MODULE": "project.settings"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    return DeskJob.objects.get(kind="erase_person")


@pytest.mark.parametrize("point", POINTS)
def test_another_process_goes_on_and_leaves_nothing(mina: Shopper, point: str) -> None:
    job = erase_and_die(point)
    assert left_over()  # the control: at least the job still knows the person
    assert job.status == "running"
    DeskJob.objects.filter(pk=job.pk).update(lease_until=Now())  # the relay rings it after that

    run_job(DeskJob, job.pk)

    assert left_over() == {}
    assert drift() == []
    job.refresh_from_db()
    assert job.status == "done"
    assert "person" not in job.context


def test_who_asks_again_meanwhile_gets_the_job_that_goes_on(mina: Shopper) -> None:
    from orders.personal_data.jobs import queue_erasure

    job = erase_and_die("an order")

    assert queue_erasure(find_person(EMAIL), user_id=None).pk == job.pk
