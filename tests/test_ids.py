"""The ids of tests are words, and the same in every collection."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from project.local.env import ROOT

CHANGING_BYTES = """
import time
import pytest

@pytest.mark.parametrize("archive", [time.time_ns().to_bytes(8, "big"), b"two"])
@pytest.mark.parametrize("text", ["words", "one\\nline", "x" * 200])
def test_it(archive, text):
    pass
"""
RULES = ("-p", "tests.ids")


def collect(folder: Path, source: str, *plugins: str) -> subprocess.CompletedProcess[str]:
    """Collect this test file in a process of its own."""
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n")
    (folder / "test_it.py").write_text(source)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", *plugins],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def ids(collected: str) -> list[str]:
    return re.findall(r"^test_it.py::.*$", collected, re.MULTILINE)


def test_bytes_and_control_characters_are_named_by_their_argument(tmp_path: Path) -> None:
    first = collect(tmp_path, CHANGING_BYTES, *RULES)
    second = collect(tmp_path, CHANGING_BYTES, *RULES)

    assert ids(first.stdout) == ids(second.stdout)
    assert ids(first.stdout)[0] == "test_it.py::test_it[words-archive0]"
    assert len(ids(first.stdout)) == 6
    assert all(name.isprintable() for name in ids(first.stdout))


@pytest.mark.parametrize(
    "name",
    ["a\x00b", "tab\there", "\x1b[0m", "x" * 101],
    ids=["NUL", "tab", "escape", "101 characters"],
)
def test_an_id_that_is_no_words_stops_the_run(tmp_path: Path, name: str) -> None:
    cases = f"import pytest\ncases = pytest.mark.parametrize('x', [1], ids=[{name!r}])\n"

    run = collect(tmp_path, cases + "@cases\ndef test_it(x):\n    pass\n", *RULES)

    assert run.returncode == 4
    assert "Give these tests an id in words" in run.stderr + run.stdout


def test_control_without_the_rules_two_collections_differ(tmp_path: Path) -> None:
    first = collect(tmp_path, CHANGING_BYTES)
    second = collect(tmp_path, CHANGING_BYTES)

    assert len(ids(first.stdout)) == len(ids(second.stdout)) == 6
    assert ids(first.stdout) != ids(second.stdout)
