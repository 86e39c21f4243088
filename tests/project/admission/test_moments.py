"""The gauges of a web process, and a disk on which they can't be kept."""

from typing import Any

import pytest
from django.db.backends.postgresql.base import DatabaseWrapper

from project.admission import moments
from project.admission.moments import Moments
from project.figures import noting
from project.figures.noting import page


class Pool:
    """A pool that tells what it is told to."""

    def __init__(self) -> None:
        self.stats = {"requests_waiting": 2, "requests_queued": 10, "requests_wait_ms": 500}

    def get_stats(self) -> dict[str, int]:
        return dict(self.stats)


def figure(name: str) -> float:
    (line,) = [line for line in page().decode().splitlines() if line.startswith(f"{name} ")]
    return float(line.rpartition(" ")[2])


def test_the_pools_waits_are_added_up_from_look_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, look = Pool(), Moments()
    monkeypatch.setitem(vars(DatabaseWrapper)["_connection_pools"], "default", pool)
    noting.forget()
    look.look(waiting_orders=3, busy_threads=5)
    waits, seconds = figure("tandem_pool_waits_total"), figure("tandem_pool_wait_seconds_total")

    pool.stats |= {"requests_waiting": 0, "requests_queued": 14, "requests_wait_ms": 1500}
    look.look(waiting_orders=0, busy_threads=1)

    assert figure("tandem_pool_waits_total") == waits + 4
    assert figure("tandem_pool_wait_seconds_total") == pytest.approx(seconds + 1.0)
    assert figure("tandem_pool_waiting") == 0
    assert figure("tandem_admission_queue") == 0
    assert figure("tandem_web_threads_busy") == 1


def test_a_full_disk_ends_no_web_process(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(moments, "flush", full)
    look = Moments()

    look.look(waiting_orders=0, busy_threads=0)
    look.look(waiting_orders=0, busy_threads=0)

    assert [record.getMessage() for record in caplog.records] == [
        "figures can't be kept: [Errno 28] No space left on device"
    ]
