"""The code of the release before, in a folder of its own."""

import io
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest

from project.local.env import ROOT


def unpack(folder: Path) -> Path:
    """Write the code into this folder and return it. Skips the test where git doesn't have it."""
    commit = tomllib.loads((ROOT / "bin" / "migrations.toml").read_text())["previous_release"]
    made = subprocess.run(
        ["git", "archive", "--format=tar", commit], cwd=ROOT, capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"git doesn't have the release before, {commit}: a shallow clone or no clone")
    with tarfile.open(fileobj=io.BytesIO(made.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


def is_older(code: Path) -> bool:
    """Tell whether a process in this folder has other code, which lacks a migration of ours."""
    show = "import project; print(project.__path__[0])"
    shown = subprocess.check_output([sys.executable, "-c", show], cwd=code, text=True)
    assert Path(shown.strip()).parent == code
    ours, theirs = (
        {path.relative_to(folder) for path in folder.glob("*/migrations/*.py")}
        for folder in (ROOT, code)
    )
    return theirs < ours
