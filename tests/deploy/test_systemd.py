"""The systemd units, by systemd's own check."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from project.local.env import ROOT
from tests.deploy.files import DEPLOY, SERVICES, unit, units

FOLDER = DEPLOY / "systemd"
COMMON = FOLDER / "tandem-.service.d" / "tandem.conf"
needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd-analyze isn't installed"
)


def verify(folder: Path, right: str = "", wrong: str = "") -> str:
    """Return what systemd says of the units, copied to `folder` with this checkout's programs.

    `right` is replaced by `wrong` in each.
    """
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
    for path in folder.rglob("*.*"):
        if path.is_file():
            text = path.read_text().replace("/opt/tandem", str(ROOT))
            path.write_text(text.replace(right, wrong) if right else text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, sorted(folder.glob("tandem*.*ice")))],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{folder}:"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return "\n".join(line for line in done.stderr.splitlines() if "tandem" in line)


@needs_systemd
def test_systemd_finds_nothing(tmp_path: Path) -> None:
    assert verify(tmp_path) == ""


@needs_systemd
@pytest.mark.parametrize(
    ("right", "wrong"), [("KillMode=mixed", "KillMode=mild"), ("UMask=", "Umask=")]
)
def test_control_systemd_finds_a_wrong_line_of_the_common_part(
    tmp_path: Path, right: str, wrong: str
) -> None:
    assert "tandem.conf" in verify(tmp_path, right, wrong)


def test_no_unit_is_root_and_a_stop_leaves_the_time_that_processes_take() -> None:
    service = unit(COMMON)["Service"]

    assert service["User"] == service["Group"] == "tandem"
    assert int(service["TimeoutStopSec"]) >= 30
    assert service["KillMode"] == "mixed"


def test_the_target_starts_and_stops_every_process_but_the_migrations() -> None:
    for name in SERVICES:
        assert units()[name]["Install"]["WantedBy"] == "tandem.target"
        assert units()[name]["Unit"]["PartOf"] == "tandem.target"
        assert units()[name]["Service"]["Restart"] == "always"
    assert "Install" not in units()["migrate"]
    assert units()["migrate"]["Service"]["Type"] == "oneshot"
