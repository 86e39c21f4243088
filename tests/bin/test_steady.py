"""bin/steady.py: what it tries once more, and what it says of it."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from project.local.env import ROOT

# Each test leaves a line in `ran`, so that one can count how often it ran.
RUNS = """
from pathlib import Path

def times(name):
    with open("ran", "a") as file:
        file.write(name + "\\n")
    return Path("ran").read_text().split().count(name)

"""
STEADY = "def test_steady():\n    times('steady')\n"
FLAKY = "def test_flaky():\n    assert times('flaky') == 2\n"
BROKEN = "def test_broken():\n    assert not times('broken')\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p xdist.plugin\n")
    return tmp_path


def write(folder: Path, name: str, *tests: str) -> None:
    (folder / name).write_text(RUNS + "\n".join(tests))


def steady(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "DJANGO_"))
    }
    return subprocess.run(
        [sys.executable, str(ROOT / "bin/steady.py"), *arguments],
        cwd=folder,
        env=environment | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # most are slow to import
        capture_output=True,
        text=True,
        timeout=60,
    )


def ran(folder: Path) -> Sequence[str]:
    """Return the names of the tests that ran, in the order of their runs."""
    return (folder / "ran").read_text().split()


def test_a_test_that_passes_alone_is_named_at_the_very_end(folder: Path) -> None:
    write(folder, "test_x.py", STEADY, FLAKY)

    run = steady(folder)

    assert run.returncode == 0
    assert run.stdout.splitlines()[-2:] == ["UNSTEADY: test_x.py::test_flaky", "1 unsteady test"]
    assert ran(folder) == ["steady", "flaky", "flaky"], "the one that passed ran again"


def test_a_test_that_fails_again_is_broken(folder: Path) -> None:
    write(folder, "test_x.py", STEADY, FLAKY, BROKEN)

    run = steady(folder)

    assert run.returncode == 1
    assert run.stdout.splitlines()[-2:] == ["UNSTEADY: test_x.py::test_flaky", "1 unsteady test"]
    assert ran(folder).count("broken") == 2


def test_without_a_failure_nothing_is_said(folder: Path) -> None:
    write(folder, "test_x.py", STEADY)

    run = steady(folder)

    assert run.returncode == 0
    assert "unsteady" not in run.stdout.lower()


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_a_file_that_cannot_be_collected_is_never_tried_again(
    folder: Path, workers: tuple[str, ...]
) -> None:
    write(folder, "test_x.py", FLAKY)
    (folder / "test_y.py").write_text("import no_such_module\n")

    run = steady(folder, "--continue-on-collection-errors", *workers)

    assert run.returncode != 0
    assert "Once more" not in run.stdout
    assert ran(folder) == ["flaky"]


def test_workers_that_collect_different_tests_are_never_tried_again(folder: Path) -> None:
    write(
        folder,
        "test_x.py",
        "import os, pytest",
        "@pytest.mark.parametrize('pid', [os.getpid()])",
        "def test_flaky(pid): times('flaky')",
    )

    run = steady(folder, "-n", "2")

    assert run.returncode != 0
    assert "Different tests were collected" in run.stdout
    assert "Once more" not in run.stdout


def test_many_failures_are_no_chance(folder: Path) -> None:
    write(
        folder,
        "test_x.py",
        *(FLAKY.replace("flaky", f"flaky_{number}") for number in range(6)),
    )

    run = steady(folder)

    assert run.returncode == 1
    assert len(ran(folder)) == 6


def test_a_test_of_a_group_is_found_again(folder: Path) -> None:
    write(
        folder,
        "test_x.py",
        "import pytest",
        STEADY,
        "@pytest.mark.xdist_group('one')\n@pytest.mark.parametrize('x', ['a@b'])\n"
        + FLAKY.replace("()", "(x)", 1),
    )

    run = steady(folder, "-n", "2", "--dist", "loadgroup")

    assert run.returncode == 0
    assert "UNSTEADY: test_x.py::test_flaky[a@b]" in run.stdout.splitlines()
    assert sorted(ran(folder)) == ["flaky", "flaky", "steady"]


def test_all_runs_are_counted_together_and_the_first_red_one_is_the_last(folder: Path) -> None:
    write(folder, "test_1.py", FLAKY)
    write(folder, "test_2.py", FLAKY.replace("flaky", "other"))
    write(folder, "test_3.py", BROKEN)
    write(folder, "test_4.py", STEADY)
    files = [f"test_{number}.py" for number in range(1, 5)]

    run = steady(folder, *" --then ".join(files).split())

    assert run.returncode == 1
    assert run.stdout.splitlines()[-3:] == [
        "UNSTEADY: test_1.py::test_flaky",
        "UNSTEADY: test_2.py::test_other",
        "2 unsteady tests",
    ]
    assert "steady" not in ran(folder)


def test_failures_of_earlier_runs_are_not_tried(folder: Path) -> None:
    write(folder, "test_x.py", FLAKY)
    write(folder, "test_y.py", BROKEN)
    steady(folder, "test_y.py")

    run = steady(folder, "test_x.py")

    assert run.returncode == 0
    assert ran(folder) == ["broken", "broken", "flaky", "flaky"]
