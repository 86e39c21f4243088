"""Run pytest, and try once more the few tests that failed: `steady.py ARGS [--then ARGS]`.

On a machine that others use too, a test with a deadline of seconds can fail without a defect. So
up to five tests that failed run again, with nothing beside them. Each test that passes then is
named at the end as UNSTEADY. A broken collection is no test that failed, and never runs again.
"""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

MAX_RETRIED = 5
TESTS_FAILED = 1
"""pytest's exit code for "all were collected and run, and some failed"."""

FAILURES = Path(".pytest_cache/v/cache/lastfailed")
GROUP = re.compile(r"@[^\]]*$")
"""What pytest-xdist appends to the id of a test that belongs to a group."""


def main(argv: Sequence[str]) -> int:
    """Run each list of arguments until one fails; return the exit code."""
    unsteady: list[str] = []
    code = 0
    for arguments in split(argv):
        code = run(arguments, unsteady)
        if code:
            break
    for name in unsteady:
        print(f"UNSTEADY: {name}")
    if unsteady:
        print(f"{len(unsteady)} unsteady test{'s' if len(unsteady) > 1 else ''}", flush=True)
    return code


def split(argv: Sequence[str]) -> list[list[str]]:
    """Return the lists of arguments between each `--then`."""
    runs: list[list[str]] = [[]]
    for argument in argv:
        if argument == "--then":
            runs.append([])
        else:
            runs[-1].append(argument)
    return runs


def run(arguments: Sequence[str], unsteady: list[str]) -> int:
    """Run pytest, append to `unsteady` the tests that only a second run passed, return its code."""
    code = pytest(arguments)
    failed = failures()
    if code != TESTS_FAILED or not may_run_again(failed):
        return code
    print(f"Unsteady or broken: {len(failed)} failed. Once more, alone:", flush=True)
    # By name: pytest runs all tests when it knows none of those that `--last-failed` asks for.
    code = pytest(failed)
    if code in (0, TESTS_FAILED):
        still_failed = failures()
        unsteady += [name for name in failed if name not in still_failed]
    return code


def pytest(arguments: Sequence[str]) -> int:
    """Run pytest, so that `failures` are those of this run alone; return its exit code."""
    FAILURES.unlink(missing_ok=True)
    return subprocess.call([sys.executable, "-m", "pytest", *arguments])


def failures() -> list[str]:
    """Return the ids of what failed in the last run: tests, and files that pytest can't collect."""
    try:
        return [GROUP.sub("", name) for name in json.loads(FAILURES.read_bytes())]
    except FileNotFoundError:
        return []


def may_run_again(failed: Sequence[str]) -> bool:
    """Say whether these are a few tests, and no file among them."""
    return 0 < len(failed) <= MAX_RETRIED and all("::" in name for name in failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
