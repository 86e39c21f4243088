"""`manage.py up` as a whole: what it leaves to look at, what it survives, how it stops."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from project.local.console import Console
from project.local.data_folder import DataFolder
from project.local.env import ROOT, without_settings
from project.local.processes import start_of
from project.local.shop import LocalShop
from tests.live import LiveShop, wait_until
from tests.project.local.shop_processes import answers, processes_of
from tests.time_bounds import stretched

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("live"), pytest.mark.timeout(240)]
SERVERS = ["postgres", "valkey"]
NAMES = ["up", *SERVERS, "web", "relay", "notify", "media", "default", "beat", "mailbox"]


@pytest.fixture(scope="module")
def shop(first_shop: LiveShop) -> LiveShop:
    return first_shop


def up(**environment: str) -> subprocess.CompletedProcess[str]:
    """Run another `manage.py up` that isn't expected to last."""
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "up"],
        env={**without_settings(os.environ), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_everything_runs_and_can_be_found(shop: LiveShop) -> None:
    wait_until(lambda: (shop.run / "beat.pid").exists(), seconds=30)

    assert all(shop.pid(name) for name in NAMES)


def test_others_can_read_nothing_that_matters(shop: LiveShop) -> None:
    private = [shop.data / name for name in ("env", "admin-password", "state.json")]

    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}
    assert shop.run.stat().st_mode & 0o777 == 0o700


def test_the_admin_enters_with_the_password_on_file(shop: LiveShop) -> None:
    password = (shop.data / "admin-password").read_text().strip()
    # It is said once the demo's pictures are made.
    wait_until(lambda: f"(admin, {password})" in shop.output(), seconds=stretched(150))
    assert "All 14 pictures are made." in shop.output()
    assert "WARNING" not in shop.output()

    with httpx.Client(base_url=shop.url, follow_redirects=True, trust_env=False) as browser:
        page = browser.get("/admin/login/").text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token
        form = {"csrfmiddlewaretoken": token[1], "username": "admin", "password": password}
        answer = browser.post("/admin/login/?next=/admin/", data=form)

    assert answer.status_code == 200
    assert answer.url.path == "/admin/"


def test_another_terminal_finds_the_shop_by_its_folder(shop: LiveShop) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "migrate", "--check"],
        env={**without_settings(os.environ), "TANDEM_DATA": str(shop.data)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_a_second_start_on_the_same_folder_is_refused_in_one_line(shop: LiveShop) -> None:
    second = up(TANDEM_DATA=str(shop.data), PORT="0")
    assert second.returncode == 1
    second = up(TANDEM_DATA=str(shop.data))

    assert second.returncode == 1
    assert "already runs" in second.stderr
    assert len((second.stdout + second.stderr).splitlines()) == 1


def test_a_taken_port_is_told_in_one_line(shop: LiveShop, tmp_path: Path) -> None:
    other = up(TANDEM_DATA=str(tmp_path / "data"), PORT=str(shop.port))

    assert other.returncode == 1
    assert other.stderr == f"bin/up: Port {shop.port} is taken: set PORT to a free one.\n"


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1", "８０８０"])
def test_a_port_that_is_none_is_told_in_one_line(tmp_path: Path, port: str) -> None:
    refused = up(TANDEM_DATA=str(tmp_path / "data"), PORT=port)

    assert refused.returncode == 1
    assert refused.stderr.startswith("bin/up: PORT must be a number from 1 to 65535")


def test_a_dead_database_comes_back_on_its_port(shop: LiveShop) -> None:
    before = shop.pid("postgres")

    shop.kill("postgres")

    shop.wait_for_pid("postgres", other_than=before)
    shop.wait_until_ready(seconds=30)
    wait_until(lambda: answers(shop.env["DATABASE_URL"]), seconds=10)


@pytest.mark.parametrize("name", ["valkey", "web", "media"])
def test_a_dead_process_comes_back_and_leaves_no_child(shop: LiveShop, name: str) -> None:
    before = shop.pid(name)

    shop.kill(name)

    shop.wait_for_pid(name, other_than=before)
    shop.wait_until_ready(seconds=30)
    assert f"{name} was ended by SIGKILL" in shop.output()


def test_a_stop_leaves_nothing_and_the_next_start_is_quick(shop: LiveShop) -> None:
    before = shop.env
    begin = time.monotonic()

    assert shop.stop() == 0

    assert time.monotonic() - begin < stretched(30)
    assert processes_of(shop) == []
    assert [path.name for path in shop.run.iterdir()] == ["lock"]
    begin = time.monotonic()
    shop.start()
    assert time.monotonic() - begin < stretched(15)
    assert shop.env == before


def test_a_start_cleans_up_after_the_supervisor_and_its_reaper_were_killed(
    shop: LiveShop,
) -> None:
    wait_until(lambda: (shop.run / "beat.pid").exists(), seconds=30)
    before = {name: shop.pid(name) for name in NAMES}
    (reaper,) = _children(shop.pid("up"), command=b"project.local.reaper")
    os.kill(reaper, signal.SIGKILL)
    shop.kill("media")  # so that its pool process has no parent any more
    shop.kill("up")
    shop.stop()

    shop.start()

    wait_until(lambda: (shop.run / "beat.pid").exists(), seconds=30)
    assert [name for name, pid in before.items() if start_of(pid)] == []
    assert all(shop.pid(name) not in before.values() for name in NAMES)


def _children(parent: int, *, command: bytes) -> list[int]:
    return [
        int(pid)
        for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        if command in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def test_servers_that_the_environment_names_are_not_embedded(tmp_path: Path) -> None:
    data = DataFolder(tmp_path / "data")
    data.create()
    given = {"DATABASE_URL": "postgres://db.example/shop", "CELERY_BROKER_URL": "amqp://mq.example"}
    shop = LocalShop(data, given={**given, "SECRET_KEY": "mine"}, console=Console(1))

    servers = shop.prepare()

    written = (data.path / "env").read_text().splitlines()
    assert servers == []
    assert {*(f"{name}={value}" for name, value in given.items()), "SECRET_KEY=mine"} <= {*written}
