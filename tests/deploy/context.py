"""What the image is built of, as .dockerignore lets it in."""

import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

from project.local.env import ROOT
from tests.deploy.files import dockerfile


def is_in_the_image(path: str) -> bool:
    """Tell whether .dockerignore lets the path into the build: the last fitting line counts."""
    parts = path.split("/")
    prefixes = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    taken = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#"):
            pattern = line.removeprefix("!").removeprefix("**/")
            names = parts if "**/" in line else prefixes
            if any(fnmatch(name, pattern) for name in names):
                taken = line.startswith("!")
    return taken


def copy_to(folder: Path) -> None:
    """Copy to `folder` the files of this checkout that the image has."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(is_in_the_image, tracked.stdout.splitlines()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)


def collect_files(folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run in `folder` the Dockerfile's command that collects the pages' files."""
    (line,) = [line for stage in dockerfile() for line in stage if "collectstatic" in line]
    command = line.removeprefix("RUN ").partition(" && ")[0]
    return subprocess.run(
        command.replace(".venv/bin/python", f"'{sys.executable}'"),
        shell=True,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
