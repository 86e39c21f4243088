"""A start and a release of the web process, as shoppers meet them: real gunicorn, real requests."""

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from tests.concurrency.web import MODULE, Visitors, Web, web
from tests.factories import add_product
from tests.live import wait_until

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("live"),
    pytest.mark.django_db(transaction=True, databases=["default", "writer"]),
    pytest.mark.timeout(240),
]

PROGRAM = (str(Path(sys.executable).with_name("gunicorn")),)
LATE = "from project.gunicorn import *\npreload_app = False\n"
"""The settings of gunicorn with which each process loads the shop for itself."""


def test_nobody_is_let_in_before_somebody_can_answer(tmp_path: Path) -> None:
    with web(tmp_path) as started:
        assert started.answers(seconds=5)


def test_control_processes_that_load_the_shop_themselves_let_people_wait(tmp_path: Path) -> None:
    config = tmp_path / "late.py"
    config.write_text(LATE)

    with web(tmp_path, config=str(config)) as started:
        assert not started.answers(seconds=0.3)
        wait_until(lambda: started.answers(seconds=5), seconds=60, what="it answers")


@pytest.mark.parametrize("command", [MODULE, PROGRAM], ids=["module", "program"])
def test_a_release_fails_no_request(tmp_path: Path, command: Sequence[str]) -> None:
    add_product("TEA", stock=1_000_000)
    with web(tmp_path, command=command) as started, Visitors(started.url) as visitors:
        wait_until(lambda: len(visitors.answers) > 50, seconds=60, what="orders are placed")
        before = started.master

        os.kill(before, signal.SIGUSR2)

        started.process.wait(90)
        wait_until(lambda: started.master not in (0, before), seconds=20, what="the new master")
        so_far = len(visitors.answers)
        wait_until(
            lambda: len(visitors.answers) > so_far + 50, seconds=60, what="more orders are placed"
        )
    assert visitors.failed == []
    assert set(visitors.answers) <= {201, 503}
    assert visitors.answers.count(201) > len(visitors.answers) * 0.9


def test_readyz_fails_first_and_the_port_closes_later(tmp_path: Path) -> None:
    with web(tmp_path, DRAIN_SECONDS="4") as started:
        assert not is_stopping(started)
        os.kill(started.master, signal.SIGTERM)

        wait_until(lambda: is_stopping(started), seconds=3, what="readyz fails")
        assert started.answers(seconds=5), "pages are still answered"
        wait_until(lambda: not started.lets_in(), seconds=20, what="the port closes")


def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    with web(tmp_path, DRAIN_SECONDS="60") as started:
        for _signal in range(2):
            os.kill(started.master, signal.SIGTERM)
            time.sleep(0.5)
        wait_until(lambda: not started.lets_in(), seconds=30, what="the port closes")


def test_control_without_seconds_to_drain_the_port_closes_at_once(tmp_path: Path) -> None:
    with web(tmp_path) as started:
        os.kill(started.master, signal.SIGTERM)
        wait_until(lambda: not started.lets_in(), seconds=20, what="the port closes")
        assert not started.answers(seconds=1)


def is_stopping(started: Web) -> bool:
    """Tell whether `/readyz` fails because of the stop: here it fails without workers, too."""
    answer = httpx.get(f"{started.url}/readyz", timeout=5, trust_env=False)
    return answer.status_code == 503 and answer.json()["status"] == "stopping"
