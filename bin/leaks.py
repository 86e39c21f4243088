"""Look for passwords and keys in the files that git has. `bin/test` runs it; `--quick` doesn't.

    .venv/bin/python bin/leaks.py            tell of those that `.secrets.baseline` doesn't know
    .venv/bin/python bin/leaks.py --accept   take all that is there now for examples

The baseline has the hashes of the examples in tests and docs, so their lines may move.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from detect_secrets.core import baseline
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import configure_settings_from_baseline, default_settings

ROOT = Path(__file__).resolve().parent.parent
BASELINE = ".secrets.baseline"
SKIPPED = (".po", ".mo", ".png", ".webp", ".jpg", ".woff2", ".svg", ".min.js", "requirements.txt")
"""Texts and pictures, and files whose hashes are of packages."""


def files() -> list[str]:
    """Return the paths of the tracked files that are looked through."""
    listed = subprocess.run(
        ["/usr/bin/env", "git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    names = listed.stdout.decode().split("\0")
    locks = [f"requirements-{name}.txt" for name in ("dev", "stripe", "opentelemetry")]
    return [
        name
        for name in names
        if name and not name.endswith(SKIPPED) and name not in (BASELINE, *locks)
    ]


def scan(names: list[str]) -> SecretsCollection:
    """Return what looks like a secret in these files, by the paths that are given.

    Not with a root, which names each file by its whole path: the baseline would hold in one
    folder only.
    """
    found = SecretsCollection()
    found.scan_files(*names)
    return found


def main(arguments: list[str]) -> int:
    """Return 1 if there is a secret that the baseline doesn't know."""
    os.chdir(ROOT)
    path = ROOT / BASELINE
    if arguments == ["--accept"]:
        with default_settings():
            baseline.save_to_file(scan(files()), str(path))
        return 0
    known = json.loads(path.read_text())
    configure_settings_from_baseline(known)
    new = scan(files()) - baseline.load(known)
    for name, secret in new:
        print(f"{name}:{secret.line_number}: this looks like a secret ({secret.type}).")
    if new:
        print("Take it out, or accept an example: .venv/bin/python bin/leaks.py --accept")
    return bool(new)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
