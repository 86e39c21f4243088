"""A pytest plugin: an embedded PostgreSQL and Valkey for the run, unless DATABASE_URL is set.

Loaded by `-p tests.servers` (pyproject.toml) before pytest-django reads the settings. The
processes of pytest-xdist share the servers: pytest-django gives each a database of its own,
this module each a Valkey database. Nothing that the environment or a running shop names is
used, unless DATABASE_URL *and* CELERY_BROKER_URL are given (`project.local.embedded`).
"""

import os
import subprocess
import sys
from contextlib import ExitStack
from typing import Any

import pytest

_servers = ExitStack()


def _start() -> None:
    # Before anything of the project is imported: its Celery application reads $TANDEM_DATA/env.
    os.environ["TANDEM_DATA"] = os.devnull
    from project.local.embedded.running import running_servers, temporary_data_folder
    from project.local.env import SETTING_NAMES

    for name in SETTING_NAMES:
        os.environ.pop(name, None)
    folder = _servers.enter_context(temporary_data_folder())
    os.environ.update(_servers.enter_context(running_servers(folder, remove=True)))


# Tests place more orders than a person may, and look at once at what they changed. Those of the
# limits, and of pages that are kept, switch them on.
_UNLIMITED = {"ORDER_LIMITS": "off", "SMS_DAILY_CAP": "off", "KEEP_PAGES_SECONDS": "0"}


worker = os.environ.get("PYTEST_XDIST_WORKER", "")
if worker:
    if os.environ["CELERY_BROKER_URL"].startswith("redis"):
        server, _, _ = os.environ["CELERY_BROKER_URL"].rpartition("/")
        os.environ["CELERY_BROKER_URL"] = f"{server}/{int(worker.removeprefix('gw')) + 1}"
elif not {"DATABASE_URL", "CELERY_BROKER_URL"} <= os.environ.keys():
    _start()
os.environ.update(_UNLIMITED)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Migrate the database that pytest-xdist's processes copy, while they still collect."""
    if node.gateway.id == "gw0":
        migrating = subprocess.Popen(
            [sys.executable, "-m", "tests.database", node.workerinput["testrunuid"]],
            cwd=node.config.rootpath,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "project.settings"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # if it fails, the first of them does it, and tells why
        )
        _servers.callback(migrating.wait)
        _servers.callback(migrating.kill)  # has no effect, but in a run that ends within seconds


def pytest_unconfigure(config: pytest.Config) -> None:
    _servers.close()
