"""The image's files and the commands of deploy/ make a whole shop, set up as in production."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from project.local.embedded.running import running_servers, temporary_data_folder
from project.local.env import without_settings
from tests.deploy.context import collect_files, copy_to
from tests.deploy.files import SERVICES, SETTINGS, compose
from tests.live import wait_until
from tests.project.conf.production import PRODUCTION

STOP_SECONDS = 30
HOST = SETTINGS["ALLOWED_HOSTS"]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("", 0))
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """What deploy/ sets, with servers of our own."""
    (tmp_path / "media").mkdir()
    with temporary_data_folder() as folder, running_servers(folder, remove=True) as servers:
        yield {
            **without_settings(os.environ),
            **SETTINGS,
            "PORT": str(free_port()),
            "SECRET_KEY": PRODUCTION["SECRET_KEY"],
            "DATABASE_URL": servers["DATABASE_URL"],
            "CELERY_BROKER_URL": servers["CELERY_BROKER_URL"],
            "EMAIL_URL": "smtp://127.0.0.1:9",
            "MEDIA_STORAGE": str(tmp_path / "media"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }


@contextmanager
def started(folder: Path, environment: dict[str, str]) -> Iterator[dict[str, subprocess.Popen]]:
    """Start the processes of the compose file; at the end kill those that still run."""
    processes = {
        name: subprocess.Popen(
            compose()["services"][name]["command"],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for name in SERVICES
    }
    try:
        yield processes
    finally:
        for process in processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def read(environment: dict[str, str], path: str) -> str:
    """Return what the proxy would get."""
    connection = HTTPConnection("127.0.0.1", int(environment["PORT"]), timeout=10)
    try:
        connection.request("GET", path, headers={"Host": HOST, "X-Forwarded-Proto": "https"})
        answer = connection.getresponse()
        return answer.read().decode() if answer.status == 200 else ""
    finally:
        connection.close()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_shop_is_migrated_started_found_healthy_and_stopped(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    folder = tmp_path / "image"
    copy_to(folder)
    assert collect_files(folder, environment).returncode == 0

    def run(*command: str) -> int:
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, check=False
        ).returncode

    check = ["python", "manage.py", "migrate", "--check"]
    assert run(*check) == 1
    assert run(*compose()["services"]["migrate"]["command"]) == 0
    assert run(*check) == 0

    healthy = compose()["services"]["web"]["healthcheck"]["test"][1:]
    healthy[-1] = healthy[-1].replace(f":{SETTINGS['PORT']}/", f":{environment['PORT']}/")
    with started(folder, environment) as processes:
        wait_until(lambda: run(*healthy) == 0, seconds=90, what="web's health check passes")
        wait_until(
            lambda: '"status": "ok"' in read(environment, "/readyz"),
            seconds=90,
            what="every service is seen",
        )
        (style, *_others) = re.findall(r'/static/[^"]+\.css', read(environment, "/"))
        assert read(environment, style)

        for process in processes.values():
            process.terminate()
        ends = {name: process.wait(STOP_SECONDS) for name, process in processes.items()}
    assert ends == dict.fromkeys(SERVICES, 0)
