"""Pictures a minute by one media worker and by two: real workers, a relay, a broker of their own.

Each worker has one process, so that two are two processes more than none and not a busy machine.
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.test.utils import override_settings

from media_jobs.assets import store_asset
from media_jobs.models import Asset, MediaJob
from media_jobs.outbox import queue_renditions
from project.jobs.queryset import OPEN, Status
from project.local.embedded.running import running_valkey, temporary_data_folder
from project.local.env import ROOT
from project.local.shop import PYTHON, WORKERS
from project.models import Heartbeat

ROUNDS = 3
"""In turns, so that other load affects both; the median counts."""
PICTURES = 8
"""A round's, for each worker."""
START_SECONDS, LONGEST = 60.0, 600.0


def pictures_a_minute(data: bytes) -> dict[int, float]:
    """Return for one and two workers how many such photos they make a minute.

    Call it within a scratch database.
    """
    rates: dict[int, list[float]] = {1: [], 2: []}
    with temporary_data_folder() as folder, running_valkey(folder) as broker:
        media = str(folder.path / "media")
        server, _slash, _name = os.environ["DATABASE_URL"].rpartition("/")
        environment = {
            **os.environ,
            "DATABASE_URL": f"{server}/{connection.settings_dict['NAME']}",
            "CELERY_BROKER_URL": broker,
            "MEDIA_STORAGE": media,
        }
        with override_settings(MEDIA_ROOT=media):
            for _round in range(ROUNDS):
                for workers in rates:
                    with _running(workers, folder.path, environment):
                        _rate(data, workers)  # each process has made one
                        rates[workers].append(_rate(data, workers * PICTURES))
    return {workers: median(measured) for workers, measured in rates.items()}


@contextmanager
def _running(workers: int, folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """Run a relay and so many media workers of one process during the block."""
    services = {service.name: [*service.argv] for service in WORKERS}
    alone = services["media"][services["media"].index(PYTHON) :]  # not niced
    alone[alone.index("-c") + 1] = "1"
    Heartbeat.objects.all().delete()
    with ExitStack() as stack:
        stack.enter_context(_process(services["relay"], folder / "relay.log", environment))
        for number in range(workers):
            named = [*alone]
            named[named.index("-n") + 1] = f"media@{number}"
            log = folder / f"media{number}.log"
            stack.enter_context(_process(named, log, environment))
        beats = Heartbeat.objects.filter(name__startswith="media@")
        _wait_until(lambda: beats.count() == workers, seconds=START_SECONDS)
        yield


@contextmanager
def _process(argv: list[str], log: Path, environment: dict[str, str]) -> Iterator[None]:
    with log.open("ab") as output:
        process = subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _rate(data: bytes, count: int) -> float:
    """Queue so many photos; return how many are made a minute, from their COMMIT to the last."""
    before = MediaJob.objects.filter(status=Status.DONE).count()
    with transaction.atomic():
        for number in range(count):
            # Behind its end: another file, the same photo.
            asset = store_asset(
                ContentFile(data + (before + number).to_bytes(4)), name=f"Photo {number}"
            )
            queue_renditions(asset)
    began = time.monotonic()
    _wait_until(lambda: not MediaJob.objects.filter(status__in=OPEN).exists(), seconds=LONGEST)
    seconds = time.monotonic() - began
    done = MediaJob.objects.filter(status=Status.DONE).count() - before
    assert done == count == Asset.objects.count() - before, f"{done} of {count} pictures are made"
    return 60 * count / seconds


def _wait_until(condition: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s")
        time.sleep(0.05)
