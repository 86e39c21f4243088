"""ffmpeg's process: bounded, and killed at once when its job is stopped."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from media_jobs import ffmpeg
from media_jobs.assets import store_asset
from media_jobs.ffmpeg import FfmpegError, TooSlowError, run
from media_jobs.models import MediaJob
from media_jobs.outbox import queue_renditions
from media_jobs.processing import process
from project.jobs.errors import LostClaimError, PermanentError
from project.jobs.queryset import Status
from tests.media_jobs import films
from tests.media_jobs.children import ENDLESS, children, is_alive, wait_until_gone
from tests.media_jobs.claims import claimed


def ignore(_seconds: float) -> None:
    pass


def test_it_ends_when_its_time_is_over(tmp_path):
    with pytest.raises(TooSlowError):
        run(ENDLESS, folder=tmp_path, seconds=0.3, progress=ignore)

    assert children() == []


def test_it_ends_when_nobody_wants_it_any_more(tmp_path):
    pids = []

    def unwanted(_seconds: float) -> None:
        pids.extend(children())
        raise LostClaimError

    with pytest.raises(LostClaimError):
        run(ENDLESS, folder=tmp_path, seconds=60, progress=unwanted)

    assert pids
    assert not any(is_alive(pid) for pid in pids)


WORKER = """
import sys, os, threading
import django; django.setup()
from pathlib import Path
from media_jobs import ffmpeg
from tests.media_jobs.children import ENDLESS, children
def tell(_seconds):
    if pids := children():
        print(*pids, flush=True)
if "--without-guard" in sys.argv:
    ffmpeg.bounded = lambda worker: lambda: None
ffmpeg.run(ENDLESS, folder=Path(sys.argv[1]), seconds=60, progress=tell)
"""


def killed_worker(tmp_path, *options: str) -> int:
    """Kill a worker while its ffmpeg runs; return ffmpeg's number."""
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(tmp_path), *options],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "project.settings", "PYTHONPATH": "."},
    )
    pid = int(worker.stdout.readline().split()[0])
    worker.kill()
    worker.wait()
    worker.stdout.close()
    return pid


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel for it, which is Linux")
def test_it_dies_with_its_worker(tmp_path):
    wait_until_gone(killed_worker(tmp_path))


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel for it, which is Linux")
def test_control_without_the_kernels_promise_it_outlives_its_worker(tmp_path):
    pid = killed_worker(tmp_path, "--without-guard")
    try:
        time.sleep(1)  # what the guard needs is milliseconds
        assert is_alive(pid)
    finally:
        os.kill(pid, signal.SIGKILL)


def test_its_memory_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(ffmpeg, "MEMORY", 60 * 2**20)

    with pytest.raises(FfmpegError):
        run(
            ["-f", "lavfi", "-i", "testsrc=size=4000x4000:rate=10:duration=1", "-f", "null", "-"],
            folder=tmp_path,
            seconds=60,
            progress=ignore,
        )


def test_none_of_our_secrets_reach_it(tmp_path, monkeypatch):
    environments = []

    def look(_seconds: float) -> None:
        for pid in children():
            environments.append(Path(f"/proc/{pid}/environ").read_bytes())
            raise LostClaimError

    with pytest.raises(LostClaimError):
        run(ENDLESS, folder=tmp_path, seconds=60, progress=look)

    assert environments == [b""]


def test_what_it_says_at_last_is_the_reason(tmp_path):
    with pytest.raises(FfmpegError, match="No such file"):
        run(["-i", "none.mp4", "-f", "null", "-"], folder=tmp_path, seconds=60, progress=ignore)


def test_an_endless_complaint_is_not_kept():
    talk = ffmpeg._Talk()

    for _number in range(1000):
        talk.hear(b"x" * 1000)
    talk.hear(b"the end")

    assert len(talk.said) == ffmpeg.KEPT
    assert talk.last.endswith(b"the end")


def test_a_missing_ffmpeg_is_named(settings):
    settings.FFMPEG_BINARY = "/nowhere/ffmpeg"
    ffmpeg.binary.cache_clear()
    try:
        with pytest.raises(PermanentError, match="/nowhere/ffmpeg"):
            ffmpeg.binary()
    finally:
        ffmpeg.binary.cache_clear()


@pytest.mark.django_db
def test_cancelling_a_job_ends_its_ffmpeg_and_leaves_no_file(tmp_path, media_folder, monkeypatch):
    original = films.film(tmp_path / "film.mp4", seconds=2)
    asset = store_asset(ContentFile(original.read_bytes()), name="film")
    job = claimed(queue_renditions(asset).pk)
    set_progress = type(MediaJob.objects).set_progress
    alive = []

    def cancelled_meanwhile(manager, held, percent):
        if percent >= 5 and (pids := children()):  # encoding
            alive.extend(pids)
            MediaJob.objects.filter(pk=held.pk).cancel()
        return set_progress(manager, held, percent)

    monkeypatch.setattr(type(MediaJob.objects), "set_progress", cancelled_meanwhile)

    with pytest.raises(LostClaimError):
        process(job)

    job.refresh_from_db()
    assert job.status == Status.CANCELLED
    assert alive
    assert not any(is_alive(pid) for pid in alive)
