"""Look for known holes in the shop's packages. `bin/test` runs it; `--quick` doesn't.

    .venv/bin/python bin/holes.py

pip-audit asks PyPI's database, by names and versions of the locked files. Where that can't be
reached, this says so and nothing fails. A hole that another release closes ends in 1; one that no
release closes is only named, because nobody could make the build pass.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCKED = ("requirements.txt", "requirements-stripe.txt")
SECONDS = 120
ANSWER_SECONDS = 5
"""Seconds for one answer of the database."""

Package = dict[str, Any]
"""A package of pip-audit's report."""


class NotAskedError(Exception):
    """The database could not be asked; says why."""


def main() -> int:
    """Print what is known; return 1 if there is a hole that another release closes."""
    try:
        packages = known(audit())
    except NotAskedError as why:
        print(f"Known holes of packages: not looked for. {why}")
        return 0
    found = list(holes(packages))
    print(f"Known holes of packages: {len(found)} in {len(packages)} packages.")
    for text, _is_closed in found:
        print(f"  {text}")
    return int(any(is_closed for _text, is_closed in found))


def audit() -> list[Package]:
    """Return the packages of pip-audit's report. Raises NotAskedError."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        files = [part for name in LOCKED for part in ("--requirement", str(ROOT / name))]
        command = [
            *(sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", *files),
            *("--timeout", str(ANSWER_SECONDS), "--progress-spinner", "off"),
            *("--format", "json", "--output", str(path)),
            *("--cache-dir", folder),  # the one in the home may be another user's
        ]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise NotAskedError(f"The database took more than {SECONDS} s.") from None
        if not path.exists():
            lines = done.stderr.strip().splitlines()
            raise NotAskedError(lines[-1] if lines else f"pip-audit ended with {done.returncode}.")
        packages: list[Package] = json.loads(path.read_text())["dependencies"]
        return packages


def known(packages: list[Package]) -> list[Package]:
    """Return the packages that the database knows. Raises NotAskedError if it knows none.

    pip-audit takes a mirror that has packages and no database for one that knows no holes.
    """
    asked = [package for package in packages if "skip_reason" not in package]
    if not asked:
        raise NotAskedError("The index has no such database: it knows none of the packages.")
    return asked


def holes(packages: list[Package]) -> Iterator[tuple[str, bool]]:
    """Yield each known hole in a line, with whether another release closes it."""
    for package in packages:
        for hole in package["vulns"]:
            closed_by = ", ".join(hole["fix_versions"])
            ending = f"closed by {closed_by}" if closed_by else "no release closes it yet"
            names = ", ".join([hole["id"], *hole["aliases"]])
            yield f"{package['name']} {package['version']}: {names}; {ending}.", bool(closed_by)


if __name__ == "__main__":
    sys.exit(main())
