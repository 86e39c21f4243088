"""A shopper's pass beside two hundred pictures of the catalogue, with a real worker and relay."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection

from media_jobs.assets import store_asset
from media_jobs.models import MediaJob
from media_jobs.outbox import queue_renditions
from project.jobs.queryset import OPEN, Status
from project.relay import Relay
from tests.brokers import VALKEY, application, empty_queues, rabbitmq_alone
from tests.concurrency.workers import (
    PurgingPublisher,
    database_url,
    is_done,
    picture,
    running_relay,
    running_worker,
)
from tests.live import wait_until
from tests.media_jobs.originals import photo, saved
from tests.time_bounds import stretched

pytestmark = [
    rabbitmq_alone,
    pytest.mark.django_db(
        transaction=True,
        available_apps=["project", "notifications", "media_jobs", "django_celery_results"],
    ),
]

PICTURES = 200
PROCESSES = RESERVED = 2
"""The worker's processes, and the messages that it has taken for them (prefetch 1 each)."""
AT_MOST_BEFORE = MediaJob.window + RESERVED + PROCESSES
CATALOGUE = MediaJob.objects.filter(kind="renditions")


@pytest.fixture
def worker(settings: Any, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    environment = {
        "DATABASE_URL": database_url(),
        "CELERY_BROKER_URL": VALKEY,
        "MEDIA_STORAGE": settings.MEDIA_ROOT,
    }
    with ExitStack() as stack:
        stack.enter_context(empty_queues(VALKEY))
        log = tmp_path / "media.log"
        yield stack.enter_context(running_worker("media", environment=environment, log=log))


@pytest.fixture
def catalogue(worker: subprocess.Popen[bytes]) -> Iterator[None]:
    """So many pictures are due, and the worker is at the first of them."""
    data = saved(photo(400, 400), "JPEG")
    for number in range(PICTURES):
        content = ContentFile(data + number.to_bytes(2))  # behind its end: another file
        queue_renditions(store_asset(content, name=f"Photo {number}"))
    with running_relay(Relay(application(VALKEY))):
        wait_until(lambda: made() >= PROCESSES, seconds=stretched(60), what="the first pictures")
        yield
        CATALOGUE.filter(status=Status.QUEUED).update(status=Status.CANCELLED)
    with closing(PurgingPublisher(application(VALKEY))) as publisher:
        publisher.empty("media")
    wait_until(lambda: not CATALOGUE.filter(status__in=OPEN).exists(), seconds=stretched(30))


def made() -> int:
    return CATALOGUE.filter(status=Status.DONE).count()


def test_a_pass_is_drawn_before_the_catalogues_pictures_that_are_not_in_the_queue_yet(
    catalogue: None,
) -> None:
    job = picture()

    wait_until(lambda: is_done(job), seconds=stretched(60), what="the pass")

    before = CATALOGUE.filter(finished_at__gte=job.created_at, finished_at__lte=job.finished_at)
    assert before.count() <= AT_MOST_BEFORE
    assert CATALOGUE.filter(status=Status.QUEUED).count() > PICTURES // 2


def test_control_without_the_relays_order_it_waits_behind_them_all(
    catalogue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("project.relay.rung", rung_without_order)
    job = picture()
    first = made()

    wait_until(
        lambda: made() > first + 3 * AT_MOST_BEFORE or is_done(job),
        seconds=stretched(120),
        what="more pictures",
    )

    assert not is_done(job)


def rung_without_order(model: type[Any], **options: Any) -> list[Any]:
    """Ring as the relay does, whether or not jobs are an order's."""
    from project.jobs.dispatch import rung

    def leave_out(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        for asked, instead in (
            ("(order_id IS NULL) IS FALSE", "true"),
            ("(order_id IS NULL) IS TRUE", "false"),
            ("order_id IS NULL, ", ""),
        ):
            sql = sql.replace(asked, instead)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(leave_out):
        return rung(model, **options)
