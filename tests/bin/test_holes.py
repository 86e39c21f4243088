"""bin/holes.py names known holes of packages, and fails nothing where the network is away."""

import os
import subprocess
import sys
from runpy import run_path
from typing import Any

import pytest

from project.local.data_folder import free_port
from project.local.env import ROOT

HOLES = run_path(str(ROOT / "bin" / "holes.py"))


def package(name: str, *vulns: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "version": "5.7.0", "vulns": list(vulns)}


def test_a_hole_is_named_with_the_release_that_closes_it() -> None:
    closed = {"id": "PYSEC-2026-7", "aliases": ["CVE-2026-7777"], "fix_versions": ["5.7.3"]}
    open_still = {"id": "PYSEC-2026-8", "aliases": [], "fix_versions": []}

    packages = [package("idna"), package("celery", closed), package("redis", open_still)]

    found = list(HOLES["holes"](packages))

    assert found == [
        ("celery 5.7.0: PYSEC-2026-7, CVE-2026-7777; closed by 5.7.3.", True),
        ("redis 5.7.0: PYSEC-2026-8; no release closes it yet.", False),
    ]


def test_a_package_that_the_database_does_not_know_is_not_called_clean() -> None:
    ours = {"name": "ours", "skip_reason": "Dependency not found on PyPI"}

    assert HOLES["known"]([package("celery"), ours]) == [package("celery")]
    with pytest.raises(HOLES["NotAskedError"], match="knows none of the packages"):
        HOLES["known"]([ours])


def test_without_a_network_it_says_so_and_nothing_fails() -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    away = dict.fromkeys(("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"), nowhere)

    done = subprocess.run(
        [sys.executable, str(ROOT / "bin" / "holes.py")],
        env=os.environ | away,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Known holes of packages: not looked for. ")
    assert len(done.stdout.splitlines()) == 1
