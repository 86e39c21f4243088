"""Workers that are killed, frozen, starved, stuck or poisoned: real ones, on real brokers."""

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now

from media_jobs.models import MediaJob, Rendition
from notifications.models import Notification
from project.celery import app
from project.jobs.model import Job
from project.jobs.queryset import Status
from project.relay import Relay
from tests.concurrency.workers import Inbox, picture
from tests.faults.supervised_workers import (
    SECONDS,
    Supervised,
    comes_to,
    message_to,
    picture_with,
    wait_for,
)
from tests.live import wait_until

pytestmark = [
    pytest.mark.xdist_group("deaths"),
    pytest.mark.timeout(300),
    pytest.mark.django_db(
        transaction=True,
        available_apps=["project", "notifications", "media_jobs", "django_celery_results"],
    ),
]


# ── Controls: first, for the workers below live to the end of the module and share the queue
def test_control_without_the_token_the_late_result_replaces_the_one_that_counts(
    start: Callable[..., Any], relay: Relay, tmp_path: Path
) -> None:
    with start("media", application="tests.faults.without_fence"):
        job = picture_with("waits", folder=str(tmp_path))

        result = freeze_and_thaw(relay, job, tmp_path)

    job.refresh_from_db()
    assert job.result != result


@pytest.mark.slow
def test_control_without_the_memory_limit_the_picture_gets_what_it_wants(
    start: Callable[..., Any], relay: Relay
) -> None:
    with start("media", size=1, memory=4096):
        comes_to(relay, picture_with("eats"), Status.DONE)


@pytest.mark.slow
def test_control_without_the_hard_limit_a_stuck_picture_keeps_its_process(
    start: Callable[..., Any], relay: Relay
) -> None:
    with start("media", size=1):
        job = picture_with("stuck")
        comes_to(relay, job, Status.RUNNING)

        leases = {job.lease_until}
        while len(leases) < 9:  # a second each: the test below allows six
            comes_to(relay, job, Status.RUNNING)
            leases.add(job.lease_until)

    assert (job.attempts, job.lost) == (1, 0)


@pytest.mark.slow
def test_control_without_a_last_chance_alone_a_poisonous_message_takes_its_neighbours_along(
    start: Callable[..., Any], relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Notification, "shares_process", False)
    with start("notify", size=4):
        poison, *neighbours = (message_to(name) for name in ("poison", *["neighbour"] * 3))

        comes_to(relay, poison, Status.UNKNOWN)
        for job in neighbours:
            job.refresh_from_db()

    assert Status.UNKNOWN in {job.status for job in neighbours}


# ── Killed ──────────────────────────────────────────────────────────────────────────────────
def test_a_message_whose_worker_is_killed_while_it_sends_is_sent_and_marked(
    relay: Relay, notify: Supervised, inbox: Inbox
) -> None:
    job = message_to("hangs")
    comes_to(relay, job, Status.RUNNING)

    notify.process.kill()

    comes_to(relay, job, Status.DONE)
    assert inbox.copies(job) == 1
    assert (job.attempts, job.lost, job.maybe_duplicate) == (2, 1, True)


def test_killed_between_the_servers_yes_and_our_commit_the_copy_has_the_same_id_and_a_mark(
    relay: Relay, notify: Supervised, inbox: Inbox
) -> None:
    job = message_to("dies")

    comes_to(relay, job, Status.DONE)

    assert inbox.copies(job) == 2, "it can't be excluded here; copies() counts by Message-ID"
    assert (job.attempts, job.lost, job.maybe_duplicate) == (2, 1, True)


def test_control_a_message_whose_worker_lives_is_sent_once_and_not_marked(
    relay: Relay, notify: Supervised, inbox: Inbox
) -> None:
    job = message_to("zoe")

    comes_to(relay, job, Status.DONE)

    assert inbox.copies(job) == 1
    assert (job.attempts, job.lost, job.maybe_duplicate) == (1, 0, False)


def test_a_message_that_died_with_a_worker_in_its_broker_read_is_rung_again(
    relay: Relay, notify: Supervised, inbox: Inbox
) -> None:
    wait_for("notify")
    notify.process.send_signal(signal.SIGSTOP)
    job = message_to("zoe")
    relay.tick()
    wait_until(
        lambda: relay.publisher.queue_length("notify") == 0, seconds=10, what="it was popped"
    )
    notify.process.kill()
    wait_for("notify")
    job.refresh_from_db()
    assert job.status == Status.QUEUED, "the broker has forgotten it"

    Notification.objects.filter(pk=job.pk).update(ring_after=Now())  # as if 30 s were over

    comes_to(relay, job, Status.DONE)
    assert inbox.copies(job) == 1
    assert (job.attempts, job.lost) == (1, 0)


def test_a_picture_whose_process_is_killed_is_drawn_by_the_next(
    relay: Relay, media: Supervised, tmp_path: Path
) -> None:
    job = picture_with("waits", folder=str(tmp_path))
    wait = tmp_path / "pid"
    comes_to(relay, job, Status.RUNNING)
    wait_until(lambda: wait.exists() and wait.read_text(), seconds=SECONDS, what="it has drawn")

    os.kill(int(wait.read_text()), signal.SIGKILL)

    comes_to(relay, job, Status.DONE)
    assert (job.attempts, job.lost) == (2, 1)
    assert Rendition.objects.filter(job=job).count() == 1


# ── Frozen and thawed ───────────────────────────────────────────────────────────────────────
def freeze_and_thaw(relay: Relay, job: MediaJob, folder: Path) -> dict[str, Any]:
    """Freeze the process that works on the job until another has done it, then let it finish.

    Returns the result that counted before the thaw.
    """
    pid = folder / "pid"
    comes_to(relay, job, Status.RUNNING)
    wait_until(lambda: pid.exists() and pid.read_text(), seconds=SECONDS, what="it has drawn")
    frozen = int(pid.read_text())
    os.kill(frozen, signal.SIGSTOP)
    try:
        comes_to(relay, job, Status.DONE)
        (folder / "released").touch()
    finally:
        os.kill(frozen, signal.SIGCONT)
    wait_until((folder / "over").exists, seconds=SECONDS, what="the late one has finished")
    assert job.result is not None
    return job.result


def files_below(folder: Path, job: MediaJob) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and job.source_hash in str(path)
    }


def test_a_process_that_thaws_after_its_lease_changes_and_leaves_nothing(
    start: Callable[..., Any], relay: Relay, media: Supervised, tmp_path: Path
) -> None:
    job = picture_with("waits", folder=str(tmp_path))

    result = freeze_and_thaw(relay, job, tmp_path)

    job.refresh_from_db()
    assert (job.status, job.result, job.lost) == (Status.DONE, result, 1)
    shown = set(Rendition.objects.filter(job=job).values_list("file", flat=True))
    assert shown == {rendition["file"] for rendition in result["renditions"]}
    assert files_below(start.media, job) == shown


# ── Starved and stuck ─────────────────────────────────────────────────────────────
def test_a_picture_that_eats_memory_fails_with_that_reason_and_its_process_lives_on(
    relay: Relay, media: Supervised
) -> None:
    wait_until(lambda: len(media.children()) == 2, seconds=SECONDS)
    before = set(media.children())
    job = picture_with("eats")

    comes_to(relay, job, Status.FAILED)

    assert (job.attempts, job.lost) == (1, 0)
    assert "more memory" in job.error
    assert set(media.children()) == before


def test_a_picture_that_is_stuck_is_killed_at_the_hard_limit_and_tried_again(
    relay: Relay, media: Supervised
) -> None:
    job = picture_with("stuck")
    MediaJob.objects.filter(pk=job.pk).update(ring_after=Now() + timedelta(seconds=20))
    # As the relay rings it, but for the limit: the real one is a video's.
    app.send_task(job.task, args=[str(job.pk)], queue="media", time_limit=6, soft_time_limit=5)

    comes_to(relay, job, Status.DONE)

    assert (job.attempts, job.lost) == (2, 1)


# ── Poisoned ────────────────────────────────────────────────────────────────────────────────
def test_a_poisonous_picture_is_given_up_and_disturbs_no_other(
    relay: Relay, media: Supervised
) -> None:
    poison = picture_with("poison")
    others: list[Job] = [picture() for _ in range(6)]

    comes_to(relay, poison, Status.FAILED)

    assert (poison.lost, poison.error) == (3, "worker died 3 times")
    for job in others:
        comes_to(relay, job, Status.DONE)
        assert (job.attempts, job.lost) == (1, 0)


def test_a_poisonous_message_is_given_up_and_none_of_those_that_died_with_it(
    relay: Relay, notify: Supervised, inbox: Inbox
) -> None:
    poison, *neighbours = (message_to(name) for name in ("poison", *["neighbour"] * 3))

    comes_to(relay, poison, Status.UNKNOWN)  # it died while it sent: it may have arrived

    assert (poison.lost, poison.error) == (3, "worker died 3 times")
    for job in neighbours:
        comes_to(relay, job, Status.DONE)
        assert inbox.copies(job) == 1
